from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.model.pipeline import Pipeline
from dashboard.model.rows import RowChange
from dashboard.sources.table import row_change
from inventory.event import InvalidEventError, parse_record
from inventory.stock import Outcome, Row, apply
from inventory_aws.stream import StreamRecord
from operations.redrive.failed_event import marked
from operations.table_stream import Change, Place
from operations.verify.explain import RecordStatus

SHARD = "shardId-000000000000"


def event(kind: str, **product: Any) -> bytes:
    return json.dumps({"event_type": kind, "product": product}).encode()


ADDED = event("product_added", product_id="A", product_name="Lamp", quantity=5)
MOVED = event("product_quantity_changed", product_id="A", quantity_change=-9)
SET = event("product_quantity_changed", product_id="A", quantity=3)
REMOVED = event("product_removed", product_id="A")
BROKEN = b"not json"
FOREIGN = event("product_added", product_id="B", product_name="Lamp", quantity=5)


def records(*payloads: bytes, start: int = 1, at: float = 100.0) -> list[StreamRecord]:
    return [
        StreamRecord(SHARD, start + place, at, data, "A") for place, data in enumerate(payloads)
    ]


def batch(first: int, last: int, done_at: float = 101.0, **counts: int) -> dict[str, Any]:
    return {
        "message": "batch",
        "records": last - first + 1,
        "duration_ms": 5.0,
        "done_at": done_at,
        "shards": {SHARD: [str(first), str(last)]},
        "function_request_id": f"r{first}",
        **{outcome.value: counts.get(outcome.value, 0) for outcome in Outcome},
    }


def statuses(pipeline: Pipeline) -> list[RecordStatus]:
    return [tracked.status for tracked in pipeline.latest]


@given(
    st.lists(st.sampled_from([ADDED, MOVED, SET, REMOVED, BROKEN, FOREIGN]), max_size=10), st.data()
)
def test_each_event_has_the_outcome_that_the_rules_give(
    payloads: list[bytes], data: st.DataObject
) -> None:
    """However the stream, the log and the table's stream are interleaved."""
    expected: list[RecordStatus] = []
    changes: list[RowChange] = []
    row: Row | None = None
    written: Row | None = None
    for place, payload in enumerate(payloads):
        try:
            step = apply(row, parse_record(payload, "A", place + 1))
        except InvalidEventError:
            expected.append(RecordStatus.REJECTED)
        else:
            row = step.row
            expected.append(RecordStatus(step.outcome.value))
        if row != written and (data.draw(st.booleans()) or place == len(payloads) - 1):
            changes.append(RowChange("A", written, row, at=100.0))  # a batch writes a row once
            written = row

    pipeline = Pipeline()
    pipeline.scanned([], at=0.0)
    told = records(*payloads)
    lines = [batch(n, n) for n in range(1, len(told) + 1)]
    sources = {"record": told, "line": lines, "change": changes}
    while left := [name for name, reports in sources.items() if reports]:
        match data.draw(st.sampled_from(left)):
            case "record":
                pipeline.arrived([told.pop(0)])
            case "line":
                pipeline.batch(lines.pop(0))
            case "change":
                pipeline.changed([changes.pop(0)])
    assert statuses(pipeline) == expected
    assert pipeline.waiting == 0


def test_an_event_waits_until_a_batch_has_it() -> None:
    pipeline = Pipeline()
    pipeline.scanned([], at=0.0)
    pipeline.arrived(records(ADDED, SET))
    assert statuses(pipeline) == [RecordStatus.WAITING] * 2
    assert pipeline.waiting == 2
    assert pipeline.oldest_waiting(now=103.0) == 3.0
    pipeline.batch(batch(1, 1))
    assert statuses(pipeline) == [RecordStatus.APPLIED, RecordStatus.WAITING]
    assert pipeline.latest[0].effect == "new row, quantity 5"
    assert pipeline.latencies.series(102.0, 0.5, step=1, steps=1) == [1.0]


def test_of_events_before_the_scan_only_those_that_the_row_names_are_known() -> None:
    pipeline = Pipeline()
    pipeline.scanned([Row("A", "Lamp", 3, "N/A", sequence_number=2)], at=100.5)
    pipeline.arrived(records(ADDED, SET, SET))
    pipeline.batch(batch(1, 3))
    assert statuses(pipeline) == [RecordStatus.UNKNOWN, RecordStatus.APPLIED, RecordStatus.APPLIED]


def test_changes_of_the_table_correct_a_row_whose_events_were_not_seen() -> None:
    pipeline = Pipeline()
    pipeline.scanned([], at=0.0)
    there = Row("A", "Lamp", 7, "N/A", sequence_number=4)
    pipeline.changed([RowChange("A", None, there, at=100.0)])
    pipeline.arrived(records(SET, start=5))
    pipeline.batch(batch(5, 5))
    assert statuses(pipeline) == [RecordStatus.APPLIED]
    assert pipeline.latest[0].effect == "quantity 7 → 3"
    assert pipeline.products.row("A") == there  # what the table says, not what was folded


def test_a_rejected_event_has_its_reason_and_a_failed_one_waits_for_its_retry() -> None:
    pipeline = Pipeline()
    pipeline.scanned([], at=0.0)
    pipeline.arrived(records(ADDED, MOVED, SET))
    rejected = {"record_id": f"{SHARD}:2", "reason": "below", "function_request_id": "r1"}
    failed = {"record_id": f"{SHARD}:3", "reason": "Throttling", "function_request_id": "r1"}
    pipeline.reported({**rejected, "message": "record rejected"})
    pipeline.reported({**failed, "message": "record failed"})
    pipeline.batch(batch(1, 3, applied=1, rejected=1, failed=1))
    assert statuses(pipeline) == [RecordStatus.APPLIED, RecordStatus.REJECTED, RecordStatus.WAITING]
    assert pipeline.latest[1].effect == "below"
    pipeline.batch(batch(3, 3, applied=1))
    assert statuses(pipeline)[2] is RecordStatus.APPLIED


def test_an_event_that_the_pipe_gave_up_is_dead_lettered() -> None:
    pipeline = Pipeline()
    pipeline.arrived(records(ADDED, SET))
    pipeline.batch(batch(2, 2))
    pipeline.tick(now=105.0)
    assert statuses(pipeline)[0] is RecordStatus.WAITING
    pipeline.tick(now=120.0)
    assert statuses(pipeline)[0] is RecordStatus.DEAD_LETTERED


def test_control_characters_in_names_are_escaped() -> None:
    name = "Lamp\u202e\x1b[31m"
    data = event("product_added", product_id="A", product_name=name, quantity=1)
    pipeline = Pipeline()
    pipeline.arrived(records(data))
    assert pipeline.latest[0].text.isprintable()


def test_at_a_high_rate_most_of_the_newest_events_have_outcomes() -> None:
    pipeline = Pipeline()
    pipeline.scanned([], at=0.0)
    pipeline.arrived(records(*[SET] * 60))
    pipeline.batch(batch(1, 30))
    newest = pipeline.newest(20)
    assert [tracked.place[1] for tracked in newest] == [*range(60, 55, -1), *range(30, 15, -1)]
    pipeline.batch(batch(31, 60))
    assert [tracked.place[1] for tracked in pipeline.newest(20)] == list(range(60, 40, -1))


def failed(pipeline: Pipeline) -> list[int]:
    return [tracked.place[1] for tracked in pipeline.failures]


def test_failed_events_are_listed_until_they_have_left_their_queue() -> None:
    pipeline = Pipeline()
    pipeline.scanned([], at=0.0)
    pipeline.arrived(records(ADDED, BROKEN, BROKEN, BROKEN, SET))
    pipeline.batch(batch(2, 3, done_at=101.0))
    pipeline.batch(batch(4, 5, done_at=120.0))
    pipeline.tick(now=131.0)
    assert failed(pipeline) == [2, 3, 4, 1]
    pipeline.redriven([(SHARD, 2)])
    assert failed(pipeline) == [3, 4, 1]
    pipeline.queued([RecordStatus.REJECTED], [], at=125.0)
    assert failed(pipeline) == [4, 1], "the fourth may be on its way to the queue"
    pipeline.queued([RecordStatus.REJECTED, RecordStatus.DEAD_LETTERED], [(SHARD, 4)], at=200.0)
    assert failed(pipeline) == [4]


def test_an_event_that_somebody_redrove_is_no_longer_listed_as_failed() -> None:
    pipeline = Pipeline()
    pipeline.arrived(records(BROKEN, BROKEN))
    pipeline.batch(batch(1, 2))
    assert failed(pipeline) == [1, 2]
    pipeline.arrived(records(marked("redrive-0-1", (SHARD, 1), ADDED), start=3))
    assert failed(pipeline) == [2]


def test_a_change_has_the_time_when_the_dashboard_read_it() -> None:
    """LocalStack cuts the record's own time to the minute."""
    place = Place("stream", "shard", "1")
    change = Change(place, at=960.0, keys={"product_id": {"S": "A"}}, before=None, after=None)
    assert row_change(change, read_at=1005.5) == RowChange("A", None, None, at=1005.5)
