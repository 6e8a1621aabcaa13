from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inventory_aws.event import Event
from inventory_aws.sender import Accepted, Refused
from inventory_aws.shown import shown, shown_bytes
from producer.pace import Pace
from producer.report import Report, text_of
from producer.settings import Settings
from simulated_stream import FakeClock, event

REFUSED = Refused(3, "ProvisionedThroughputExceededException: slow", 0.4)
COUNTS = {"sent": 1200, "refused": 3, "seconds": 10.0, "rate": 120.0}


def accepted(event: Event) -> Accepted:
    return Accepted(event, "shardId-000000000001", "4962", sent_at=1.0, accepted_at=1.1)


class Run:
    """A report on a clock that a test moves."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.pace = Pace(settings.get("rate"))
        options: dict[str, Any] = {"stream": "orders", "output": "jsonl", **settings}
        self.report = Report(Settings(**options), self.pace, self.clock)

    def accepted(self, *events: Event) -> None:
        for each in events:
            self.report.accepted(accepted(each))


def json_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def many_accepted(run: Run) -> None:
    """1,200 events in 10 s."""
    kinds = {"product_removed": 150, "product_added": 1000}
    for kind, count in kinds.items():
        run.accepted(*[Event(b"{}", "P4", None, kind)] * count)
    run.accepted(*[Event(b"{", "P4", None, "not_json", invalid=True)] * 49)
    run.clock.wait(10.0)
    run.report.refused(REFUSED)
    run.accepted(Event(b"{", "P4", None, "not_json", invalid=True))


@given(text=st.text())
def test_what_is_shown_prints_as_itself_and_harmless_text_is_left_alone(text: str) -> None:
    assert shown(text).isprintable()
    if text.isprintable():
        assert shown(text) == text


@given(data=st.binary())
def test_any_bytes_can_be_shown(data: bytes) -> None:
    assert shown_bytes(data).isprintable()


def test_what_could_drive_a_terminal_is_escaped() -> None:
    assert shown_bytes(b"\x1b[2J\r\xff\xc2\x9b") == "\\x1b[2J\\r\\xff\\x9b"
    assert shown("\u202egnp.exe\u2028") == "\\u202egnp.exe\\u2028"


def test_as_json_an_event_is_shown_with_where_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    Run().accepted(Event(b'{"product": {"product_id": "P4"}}', "P4", None, "other"))
    assert json_lines(capsys) == [
        {
            "type": "event",
            "event": {"product": {"product_id": "P4"}},
            "kind": "other",
            "invalid": False,
            "partition_key": "P4",
            "shard_id": "shardId-000000000001",
            "sequence_number": "4962",
        }
    ]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(), key=st.text(min_size=1))
def test_as_json_every_event_is_one_line_of_ascii(
    capsys: pytest.CaptureFixture[str], payload: bytes, key: str
) -> None:
    Run().accepted(Event(payload, key, None, "other"))
    (line,) = capsys.readouterr().out.splitlines(keepends=True)
    assert json.loads(line)["partition_key"] == key
    assert line.isascii()
    assert line.removesuffix("\n").isprintable()


def test_an_event_that_is_not_json_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    Run().accepted(Event(b'{"a\x1b', "P4", None, "not_json", invalid=True))
    (line,) = json_lines(capsys)
    assert line["event"] == '{"a\\x1b'
    assert line["invalid"] is True


def test_as_json_the_rest_of_a_run_is_told_by_type(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(batch=True)
    many_accepted(run)
    run.report.show("stopping", pending=7)
    run.report.end(unconfirmed=2)
    assert json_lines(capsys) == [
        {"type": "refused", "records": 3, "reason": REFUSED.reason, "again_in_seconds": 0.4},
        {"type": "progress", **COUNTS},
        {"type": "stopping", "pending": 7},
        {
            "type": "summary",
            "stream": "orders",
            **COUNTS,
            "by_type": {"product_added": 1000, "product_removed": 150},
            "invalid": 50,
            "unconfirmed": 2,
        },
    ]


@pytest.mark.parametrize(
    ("payload", "content"),
    [
        (b'{"product": {"product_name": "Desk", "quantity": 5}}', "Desk, quantity 5"),
        (b'{"product": {"quantity_change": -2}}', "quantity_change -2"),
        (b'{"product": {"product_name": "\\u001b[2J", "quantity": [1]}}', "\\x1b[2J, quantity [1]"),
        (b'{"product": "quantity"}', '{"product": "quantity"}'),
        (b'{"product": 1}', '{"product": 1}'),
        (b'{"product": ' + b"[" * 100_000, '{"product": ' + "[" * 48),
        (b'{"product": {"product_name": "' + b"x" * 100 + b'"}}', "x" * 60),
        (b"\xff\n", "\\xff\\n"),
        (b"{}", "{}"),
        (b"\x1b[2J [red]x[/red] \r", "\\x1b[2J [red]x[/red] \\r"),
    ],
)
def test_as_text_an_event_is_a_short_line_that_cannot_drive_the_terminal(
    capsys: pytest.CaptureFixture[str], payload: bytes, content: str
) -> None:
    Run(output="text").accepted(Event(payload, "P4", None, "product_added"))
    line = f"P4     product_added            {content} shardId-000000000001 4962"
    assert capsys.readouterr().out.splitlines()[1] == line


@pytest.mark.parametrize("output", ["text", "jsonl"])
def test_an_event_nested_to_any_depth_can_be_shown(
    capsys: pytest.CaptureFixture[str], output: str
) -> None:
    run = Run(output=output)
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit() + 10):
        nested = b"[" * depth + b"]" * depth
        for product in (nested, b'{"quantity": %b}' % nested):
            run.accepted(Event(b'{"product": %b}' % product, "P4", None, "other"))
    assert capsys.readouterr().out


def test_as_text_a_run_reads_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(output="text", batch=True)
    many_accepted(run)
    run.report.show("stopping", pending=7)
    run.report.end(unconfirmed=2)
    assert capsys.readouterr().out.splitlines() == [
        "Sending to orders. Ctrl+C stops.",
        "3 not accepted (ProvisionedThroughputExceededException: slow). Retrying in 0.40 s.",
        "1,200 sent, 120.0/s; 3 retried",
        "Stopping… 7 events still to send. Ctrl+C again stops at once.",
        "1,200 events sent to orders in 10.0 s (120.0/s): 1,000 product_added, "
        "150 product_removed, 50 invalid; 3 retried; 2 not confirmed",
    ]


def test_the_summary_of_a_run_without_events_says_so() -> None:
    summary = {"sent": 0, "refused": 0, "seconds": 0.0, "rate": 0.0, "stream": "\x1b"}
    assert text_of("summary", {**summary, "by_type": {}, "invalid": 0, "unconfirmed": 0}) == (
        "0 events sent to \\x1b in 0.0 s (0.0/s): none"
    )


@pytest.mark.parametrize(
    ("output", "terminal", "seconds"),
    [("jsonl", False, 1), ("jsonl", True, 1), ("text", True, 1), ("text", False, 10)],
)
def test_progress_is_shown_regularly_where_events_are_not(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    terminal: bool,
    seconds: int,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    run = Run(output=output, batch=True)
    capsys.readouterr()
    for n in range(4 * 30 + 1):
        run.accepted(event("A", n))
        run.clock.wait(0.25)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 30 / seconds
    assert all("sent" in line for line in lines)


def rate_warning(
    capsys: pytest.CaptureFixture[str], asked: float, actual: int, *, pause: bool = False
) -> str:
    """What a run of 75 s writes to standard error."""
    run = Run(rate=asked)
    for n in range(actual * 75):
        run.clock.wait(1 / actual)
        run.accepted(event("A", n))
    if pause:
        run.pace.set(asked, paused=True)
    run.report.end(0)
    return capsys.readouterr().err


def test_a_rate_that_was_not_kept_is_a_warning_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert rate_warning(capsys, 1000, 8) == (
        "Warning: The stream accepted 8.0 events per second over 75 s; "
        "the rate asked for is 1,000.\n"
    )


def test_a_rate_that_was_kept_or_changed_and_a_run_of_a_moment_are_no_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert rate_warning(capsys, 30, 29) == ""
    assert rate_warning(capsys, 1000, 8, pause=True) == ""
    moment = Run(rate=1000)
    moment.clock.wait(0.9)
    moment.report.end(0)
    assert capsys.readouterr().err == ""
