"""How the execution log gets to its log group, and what happens when it cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.telemetry.log_batches import (
    BUFFER_BYTES,
    MAX_BYTES,
    MAX_EVENTS,
    MAX_SPAN,
    EventBuffer,
    LogEvent,
    batch_length,
)
from eventbridge_pipes.telemetry.log_group import LogGroup, group_name
from waiting import eventually

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/pipes/orders"


@given(
    st.lists(
        st.builds(
            LogEvent,
            st.sampled_from([0, 1, MAX_SPAN - 1, MAX_SPAN, 2 * MAX_SPAN]),
            st.sampled_from(["x", "x" * 1000, "x" * 262_118]),
        ),
        max_size=30,
    )
)
def test_a_batch_is_within_the_limits_of_a_call_and_takes_all_that_fits(
    events: list[LogEvent],
) -> None:
    def fits(batch: list[LogEvent]) -> bool:
        times = [event.timestamp for event in batch]
        within = sum(event.size for event in batch) <= MAX_BYTES
        return within and max(times) - min(times) < MAX_SPAN

    count = batch_length(events)
    assert bool(count) == bool(events)
    assert not count or fits(events[:count])
    assert count == len(events) or not fits(events[: count + 1])


def test_a_batch_has_at_most_ten_thousand_events() -> None:
    assert batch_length([LogEvent(0, "")] * (MAX_EVENTS + 5)) == MAX_EVENTS


def test_a_buffer_drops_what_does_not_fit_and_says_so_for_the_first() -> None:
    buffer = EventBuffer()
    big = LogEvent(0, "x" * (BUFFER_BYTES // 2 - 26))
    assert [buffer.put(big) for _ in range(4)] == [True, True, False, True]
    assert buffer.dropped() == 0  # not before there is room again
    buffer.written([big, big])
    assert (buffer.dropped(), buffer.dropped()) == (2, 0)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "PutLogEvents")


class FakeLogs:
    """CloudWatch Logs with one log group, which is there or not."""

    def __init__(self) -> None:
        self.group_exists = True
        self.streams: set[str] = set()
        self.written: list[list[str]] = []
        self.troubles: list[Exception] = []
        self.calls = 0
        self.hold = threading.Event()
        self.hold.set()

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        if not self.group_exists:
            raise refusal("ResourceNotFoundException")
        self.streams.add(logStreamName)

    def put_log_events(
        self,
        *,
        logGroupName: str,  # noqa: N803
        logStreamName: str,  # noqa: N803
        logEvents: list[dict[str, Any]],  # noqa: N803
    ) -> None:
        self.calls += 1
        self.hold.wait(10)
        if self.troubles:
            raise self.troubles.pop(0)
        if not self.group_exists or logStreamName not in self.streams:
            raise refusal("ResourceNotFoundException")
        times = [event["timestamp"] for event in logEvents]
        assert times == sorted(times)
        self.written.append([event["message"] for event in logEvents])

    @property
    def messages(self) -> list[str]:
        return [message for batch in self.written for message in batch]


@contextmanager
def log_group(logs: FakeLogs, linger: float = 0.0) -> Iterator[LogGroup]:
    group = LogGroup(logs, ARN, "orders", PipeLog("orders"), linger)  # type: ignore[arg-type]
    try:
        yield group
    finally:
        logs.hold.set()
        group.close()
        group.join(5)


def test_the_name_of_a_log_group_is_what_comes_after_its_type() -> None:
    assert group_name(ARN) == group_name(f"{ARN}:*") == "/aws/vendedlogs/pipes/orders"


def test_a_stream_that_is_missing_is_made() -> None:
    logs = FakeLogs()
    with log_group(logs) as group:
        group.put(1, "a")
        eventually(lambda: logs.messages == ["a"])
    assert logs.streams == {"orders"}


def test_records_that_come_together_go_together_in_the_order_of_their_times() -> None:
    logs = FakeLogs()
    with log_group(logs, linger=30) as group:
        for timestamp, message in ((2, "b"), (1, "a"), (3, "c")):
            group.put(timestamp, message)
    assert logs.written == [["a", "b", "c"]]


def test_what_waits_is_written_when_the_log_is_closed() -> None:
    logs = FakeLogs()
    with log_group(logs, linger=30) as group:
        group.put(1, "a")
    assert logs.messages == ["a"]


def test_a_log_group_that_is_missing_is_told_once_and_tried_until_it_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = FakeLogs()
    logs.group_exists = False
    with caplog.at_level("INFO", "eventbridge_pipes"), log_group(logs) as group:
        group.put(1, "a")
        eventually(lambda: logs.calls >= 3)
        logs.group_exists = True
        eventually(lambda: logs.messages == ["a"])
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_batch_that_is_refused_is_dropped_and_does_not_hold_up_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = FakeLogs()
    logs.troubles = [refusal("InvalidParameterException")]
    with log_group(logs) as group:
        group.put(1, "bad")
        eventually(lambda: "records dropped: 1" in caplog.text)
        group.put(2, "good")
        eventually(lambda: logs.messages == ["good"])


def test_a_log_group_that_hangs_holds_nobody_up_and_memory_stays_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = FakeLogs()
    logs.hold.clear()
    with log_group(logs) as group:
        for number in range(100):
            group.put(number, "x" * 262_000)
        logs.hold.set()
        eventually(lambda: "records dropped:" in caplog.text)
    assert len(logs.messages) == BUFFER_BYTES // 262_026
    assert caplog.text.count("dropping records") == 1


def test_closing_ends_the_tries_and_tells_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    logs = FakeLogs()
    logs.group_exists = False
    with log_group(logs) as group:
        group.put(1, "a")
        eventually(lambda: logs.calls)
    assert "records dropped: 1" in caplog.text
    group.put(2, "too late")
    assert logs.messages == []
