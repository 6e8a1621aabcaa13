from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from inventory_aws.outbox import Event
from inventory_aws.sender import Accepted, Refused
from inventory_aws.shown import shown, shown_bytes
from producer.jsonoutput import JsonOutput
from producer.report import Report
from producer.tally import Summary
from producer.textoutput import TextOutput
from simulated_stream import FakeClock, event

SUMMARY = Summary(
    sent=1200,
    by_type={"product_added": 1000, "product_removed": 150},
    invalid=50,
    refused=3,
    seconds=10.0,
)
REFUSED = Refused(3, "ProvisionedThroughputExceededException: slow", 0.4)


def accepted(event: Event) -> Accepted:
    return Accepted(event, "shardId-000000000001", "4962", sent_at=1.0, accepted_at=1.1)


class Lines:
    """The lines of a JsonOutput, read back."""

    def __init__(self, *, each_event: bool = True) -> None:
        self.raw: list[str] = []
        self.output = JsonOutput(self.raw.append, stream="orders", each_event=each_event)

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw]


def text_of(payload: bytes = b"{}", *, terminal: bool = False) -> str:
    """All that a TextOutput writes in a run of one event."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=40, highlight=False)
    with TextOutput(console, stream="orders") as output:
        output.event(accepted(Event(payload, "P4", None, "product_added")))
        output.progress(SUMMARY)
        output.refused(REFUSED)
        output.stopping(7)
        output.summary(SUMMARY, unconfirmed=2)
    return file.getvalue()


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


def test_as_json_an_event_is_shown_with_where_it_went() -> None:
    lines = Lines()
    lines.output.event(accepted(Event(b'{"product": {"product_id": "P4"}}', "P4", None, "other")))
    assert lines.documents == [
        {
            "type": "event",
            "event": {"product": {"product_id": "P4"}},
            "invalid": False,
            "partition_key": "P4",
            "shard_id": "shardId-000000000001",
            "sequence_number": "4962",
        }
    ]


@given(payload=st.binary(), key=st.text(min_size=1))
def test_as_json_every_event_is_one_line_of_ascii(payload: bytes, key: str) -> None:
    lines = Lines()
    lines.output.event(accepted(Event(payload, key, None, "other")))
    assert len(lines.documents) == 1
    assert lines.raw[0].isascii()
    assert lines.raw[0].isprintable()


def test_an_event_that_is_not_json_is_shown_as_text() -> None:
    lines = Lines()
    lines.output.event(accepted(Event(b'{"a\x1b', "P4", None, "not_json", invalid=True)))
    assert lines.documents[0]["event"] == '{"a\\x1b'
    assert lines.documents[0]["invalid"] is True


def test_as_json_the_rest_of_a_run_is_told_by_type() -> None:
    lines = Lines()
    with lines.output as output:
        output.progress(SUMMARY)
        output.refused(REFUSED)
        output.stopping(7)
        output.summary(SUMMARY, unconfirmed=2)
    counts = {"sent": 1200, "refused": 3, "seconds": 10.0, "rate": 120.0}
    assert lines.documents == [
        {"type": "progress", **counts},
        {"type": "refused", "records": 3, "reason": REFUSED.reason, "again_in_seconds": 0.4},
        {"type": "stopping", "pending": 7},
        {
            "type": "summary",
            "stream": "orders",
            **counts,
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
    ],
)
def test_as_text_an_event_is_a_short_line(payload: bytes, content: str) -> None:
    line = f"P4     product_added            {content} shardId-000000000001 4962"
    assert text_of(payload).splitlines()[1] == line


def test_as_text_a_run_reads_line_by_line() -> None:
    assert text_of().splitlines() == [
        "Sending to orders. Ctrl+C stops.",
        "P4     product_added            {} shardId-000000000001 4962",
        "1,200 sent, 120.0/s; 3 retried",
        "3 not accepted (ProvisionedThroughputExceededException: slow). Retrying in 0.40 s.",
        "Stopping… 7 events still to send. Ctrl+C again stops at once.",
        "1,200 events sent to orders in 10.0 s (120.0/s): 1,000 product_added, "
        "150 product_removed, 50 invalid; 3 retried; 2 not confirmed",
    ]


def test_as_text_an_event_cannot_drive_the_terminal_or_be_taken_for_markup() -> None:
    assert "\\x1b[2J [red]x[/red] \\r" in text_of(b"\x1b[2J [red]x[/red] \r")


def test_on_a_terminal_count_and_rate_are_live() -> None:
    shown_text = text_of(terminal=True)
    assert "1,200 sent, 120.0/s" in shown_text
    assert "\x1b[2K" in shown_text  # The line is erased and written anew.


def test_progress_is_shown_once_a_second_where_events_are_not() -> None:
    clock, lines = FakeClock(), Lines(each_event=False)
    report = Report(lines.output, each_event=False, clock=clock)
    for n in range(25):
        report.accepted(accepted(event("A", n)))
        clock.wait(0.25)
    assert [d["sent"] for d in lines.documents] == [5, 9, 13, 17, 21, 25]
    assert {d["type"] for d in lines.documents} == {"progress"}


def rate_warnings(*, asked: float, actual: float, seconds: float) -> tuple[list[str], list[str]]:
    """The warnings while a producer runs, and those at its end."""
    clock, warnings = FakeClock(), list[str]()
    output = Lines(each_event=False).output
    report = Report(
        output, each_event=False, clock=clock, asked=lambda: asked, warn=warnings.append
    )
    for n in range(int(actual * seconds)):
        clock.wait(1 / actual)
        report.accepted(accepted(event("A", n)))
    running = list(warnings)
    report.warn_at_the_end()
    return running, warnings[len(running) :]


def test_a_rate_that_is_not_kept_is_a_warning_once_a_minute_and_at_the_end() -> None:
    running, at_the_end = rate_warnings(asked=1000, actual=8, seconds=75)
    assert [line.partition(" over")[0] for line in running] == [
        "The stream accepted 8.0 events per second",
        "The stream accepted 8.0 events per second",
    ]
    assert at_the_end == [
        "The stream accepted 8.0 events per second over 75 s; the rate asked for is 1,000."
    ]


def test_a_rate_that_is_kept_and_a_run_of_a_moment_are_no_warning() -> None:
    assert rate_warnings(asked=8, actual=7.9, seconds=75) == ([], [])
    assert rate_warnings(asked=1000, actual=8, seconds=0.9) == ([], [])


def test_a_report_counts_what_was_accepted_and_what_was_refused() -> None:
    clock, lines = FakeClock(), Lines()
    report = Report(lines.output, each_event=True, clock=clock)
    clock.wait(2.0)
    report.accepted(accepted(event("A", 1)))
    report.accepted(accepted(Event(b"{", "B", None, "not_json", invalid=True)))
    report.refused(REFUSED)
    assert report.summary() == Summary(
        sent=2, by_type={"product_added": 1}, invalid=1, refused=3, seconds=2.0
    )
    assert report.summary().rate == 1.0
    assert [d["type"] for d in lines.documents] == ["event", "event", "refused"]
