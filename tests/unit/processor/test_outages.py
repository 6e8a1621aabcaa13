"""DynamoDB or SNS down for some time: what the function does in one invocation, by a false clock.

The promise: a record is applied and in the table, or it is failed and comes again; and the
invocation ends in its time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.processor.outages import LASTING, TABLES, TRANSIENT, FakeDynamoDB, FakeSns, Time
from tests.unit.processor.test_processor import (
    IGNORE,
    Processor,
    added,
    failed,
    moved,
    outcomes,
    record,
    record_of,
    reference,
)

from event_streams import streams
from inventory.event import Event, ProductAdded
from inventory.items import row_of
from inventory.stock import Outcome, RemovalNamePolicy
from processor.calls import NO_TIME, Unavailable, budget
from processor.handler import ANSWERING, LONGEST_CALL
from processor.processor import process
from processor.records import Record, Result
from processor.rejections import RejectionsTopic
from processor.store import Store
from processor.writes import Change, ProductState

TIMEOUT = 60.0
BUDGET = budget(TIMEOUT, LONGEST_CALL + ANSWERING)
LONGEST_PAUSE = 5.0


POOL = ThreadPoolExecutor(1)


def processor(
    time: Time, table: FakeDynamoDB, topic: FakeSns | None = None, timeout: float = TIMEOUT
) -> Processor:
    """As the handler connects it for one invocation."""
    client: Any = table
    sns: Any = topic or FakeSns(time)
    deadline = time.deadline_in(budget(timeout, LONGEST_CALL + ANSWERING))
    return partial(
        process,
        store=Store(client, TABLES, POOL, deadline),
        topic=RejectionsTopic(sns, "arn", deadline),
        policy=IGNORE,
    )


def rows(table: FakeDynamoDB) -> dict[str, Any]:
    return {name: row_of(item) for name, item in table.items.items()}


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
@pytest.mark.parametrize("seconds", [0.05, 1, 30])
def test_the_function_waits_for_an_outage_that_ends_in_time(
    seconds: float, error: Exception
) -> None:
    time = Time()
    table = FakeDynamoDB(time, time.now + seconds, error)
    results = processor(time, table)([added(1), moved(2, 5)])
    assert set(outcomes(results).values()) == {Outcome.APPLIED}
    assert rows(table)["P1"].quantity == 15
    assert time.now - 1000 <= seconds * 2 + LONGEST_PAUSE


def test_in_an_outage_an_invocation_makes_few_calls_and_ends_in_time() -> None:
    time = Time()
    table = FakeDynamoDB(time, time.now + 3600)
    results = processor(time, table)([added(1), added(2, "P2")])
    assert {r.outcome for r in results} == {Outcome.FAILED}
    assert {r.reason for r in results} == {"InternalServerError"}
    assert BUDGET - LONGEST_PAUSE <= time.now - 1000 <= BUDGET
    assert table.calls < 20


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_a_lasting_error_is_reported_at_once(error: Exception) -> None:
    time = Time()
    table = FakeDynamoDB(time, time.now + 3600, error)
    assert failed(processor(time, table)([added(1)])) == {1}
    assert (table.calls, time.pauses) == (1, [])


def test_a_write_whose_condition_fails_is_not_retried_unchanged() -> None:
    time = Time()
    table = FakeDynamoDB(time)
    processor(time, table)([added(2)])
    calls = table.calls
    assert outcomes(processor(time, table)([added(1)])) == {1: Outcome.DUPLICATE}
    assert table.calls == calls + 1
    assert time.pauses == []


def test_a_throttled_product_does_not_delay_the_others_of_its_call() -> None:
    time = Time()
    table = FakeDynamoDB(time, throttled={"P1": 3, "P2": 1})
    results = processor(time, table)([added(1), added(2, "P2"), added(3, "P3")])
    assert set(outcomes(results).values()) == {Outcome.APPLIED}
    assert set(table.items) == {"P1", "P2", "P3"}


def test_a_product_that_stays_throttled_fails_alone() -> None:
    time = Time()
    table = FakeDynamoDB(time, throttled={"P1": 10_000})
    assert failed(processor(time, table)([added(1), added(2, "P2")])) == {1}
    assert set(table.items) == {"P2"}


def test_a_write_whose_response_was_lost_is_recognised_by_the_retry() -> None:
    time = Time()
    table = FakeDynamoDB(time, time.now + 1, TRANSIENT[-1], answers_lost=True)
    results = processor(time, table)([added(1), moved(2, 5)])
    assert set(outcomes(results).values()) == {Outcome.APPLIED}
    assert rows(table)["P1"].quantity == 15


def test_if_the_topic_is_down_other_events_are_still_applied() -> None:
    time = Time()
    table, topic = FakeDynamoDB(time), FakeSns(time, time.now + 3600)
    results = processor(time, table, topic)(
        [record(1, b"{"), added(2), moved(3, -99), moved(4, 1), added(5, "P2")]
    )
    assert failed(results) == {1, 3, 4}
    assert set(table.items) == {"P1", "P2"}
    assert time.now - 1000 < BUDGET


def test_a_short_outage_of_the_topic_is_waited_for() -> None:
    time = Time()
    topic = FakeSns(time, time.now + 2)
    assert failed(processor(time, FakeDynamoDB(time), topic)([record(1, b"{")])) == set()
    assert len(topic.published) == 1


def test_a_throttled_message_is_published_later_and_no_other_twice() -> None:
    time = Time()
    topic = FakeSns(time, refusals=[{"Id": "1", "Code": "Throttled", "SenderFault": False}])
    results = processor(time, FakeDynamoDB(time), topic)([record(n, b"{") for n in range(1, 4)])
    assert failed(results) == set()
    assert len(topic.published) == len(set(topic.published)) == 3


def test_a_message_that_the_topic_rejects_is_not_retried() -> None:
    time = Time()
    topic = FakeSns(time, refusals=[{"Id": "0", "Code": "InvalidParameter", "SenderFault": True}])
    results = processor(time, FakeDynamoDB(time), topic)([record(1, b"{")])
    assert failed(results) == {1}
    assert (topic.calls, time.pauses) == (1, [])


def test_records_without_time_left_fail_without_a_call() -> None:
    time = Time()
    table = FakeDynamoDB(time, call_seconds=LONGEST_CALL)
    results = processor(time, table)([added(n, f"P{n}") for n in range(1, 1001)])
    applied = {r.product_id for r in results if r.outcome is Outcome.APPLIED}
    assert len(results) == 1000
    assert applied == set(table.items)
    assert {r.reason for r in results if r.outcome is Outcome.FAILED} == {NO_TIME}
    assert time.now - 1000 <= TIMEOUT - ANSWERING


@given(
    streams(),
    st.floats(0, 120),
    st.floats(0, LONGEST_CALL),
    st.floats(2 * (LONGEST_CALL + ANSWERING), 300),
    st.sampled_from(TRANSIENT + LASTING),
    st.booleans(),
    st.integers(0, 250),
)
def test_every_record_is_done_or_failed_and_the_function_ends_in_time(
    events: list[Event],
    outage: float,
    call_seconds: float,
    timeout: float,
    error: Exception,
    answers_lost: bool,
    more: int,
) -> None:
    """With batches of more than one call, so that some begin late."""
    assume(not answers_lost or error in TRANSIENT)
    others = [
        ProductAdded(f"Q{n}", len(events) + n, None, "Phone", n, "N/A") for n in range(1, more + 1)
    ]
    batch: list[Record] = [record_of(event) for event in [*events, *others]]
    time = Time()
    topic = FakeSns(time)
    table = FakeDynamoDB(time, time.now + outage, error, call_seconds, answers_lost)

    results = processor(time, table, topic, timeout)(batch)

    assert sorted(_numbers(results)) == sorted(int(r.sequence_number) for r in batch)
    assert time.now - 1000 <= timeout - ANSWERING
    # What was failed comes again, on a healthy table; then nothing is missing, nothing twice.
    again = failed(results)
    healthy = FakeDynamoDB(time, items=table.items, removals=table.removals)
    rest = [r for r in batch if int(r.sequence_number) in again]
    assert failed(processor(time, healthy, topic)(rest)) == set()
    expected, rejected = reference([*events, *others], RemovalNamePolicy.IGNORE)
    assert rows(healthy) == expected
    published = {int(json.loads(message)["sequence_number"]) for message in topic.published}
    assert published == rejected


def _numbers(results: list[Result]) -> list[int]:
    return [int(r.record.sequence_number) for r in results]


@dataclass(frozen=True)
class OutlivedStore(Store):
    """That of an invocation that nobody waits for any more: a lot happens before it writes."""

    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def write(self, changes: Iterable[Change]) -> dict[str, ProductState | Unavailable]:
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().write(changes)


@given(streams(), st.data())
def test_an_invocation_that_nobody_waits_for_changes_nothing(
    events: list[Event], data: st.DataObject
) -> None:
    """The caller ended while it waited, and began again where it had recorded that it was."""
    time = Time()
    table = FakeDynamoDB(time)
    client: Any = table
    records = [record_of(event) for event in events]
    recorded, sent, reached = sorted(data.draw(st.tuples(*[st.integers(0, len(records))] * 3)))

    def deliver(batch: Sequence[Record]) -> None:
        while batch:
            size = data.draw(st.integers(1, len(batch)))
            processor(time, table)(batch[:size])
            batch = batch[size:]

    deliver(records[:recorded])
    topic: Any = FakeSns(time)
    deadline = time.deadline_in(TIMEOUT)
    store = OutlivedStore(
        *(client, TABLES, POOL, deadline),
        meanwhile=[lambda: deliver(records[recorded:reached])],
    )
    process(records[recorded:sent], store, RejectionsTopic(topic, "arn", deadline), IGNORE)
    deliver(records[reached:])
    assert rows(table) == reference(events, IGNORE)[0]
