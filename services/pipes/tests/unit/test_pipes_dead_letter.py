from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.execution.dead_letter import Condition, message, ranges
from eventbridge_pipes.pipe import Pipe
from pipes_samples import PIPE, record, records


def test_the_body_is_that_of_aws_with_its_keys_in_order() -> None:
    body = message(
        [record(7, arrived=1687187026.62), record(8, arrived=1687187027.0), record(9, 1687187028)],
        Condition.ATTEMPTS,
        replace(
            PIPE,
            arn="arn:aws:pipes:us-east-1:000000000000:pipe/p",
            source="arn:aws:kinesis:us-east-1:000000000000:stream/s",
        ),
        "shardId-000000000000",
        1687187031.498,
    )
    assert body == (
        '{"context": {"partnerResourceArn": "arn:aws:pipes:us-east-1:000000000000:pipe/p", '
        '"condition": "RetryAttemptsExhausted"}, "version": "1.0", '
        '"timestamp": "2023-06-19T15:03:51.498Z", "KinesisBatchInfo": '
        '{"shardId": "shardId-000000000000", '
        '"startSequenceNumber": "000000000000000000000000000007", '
        '"endSequenceNumber": "000000000000000000000000000009", '
        '"approximateArrivalOfFirstRecord": "2023-06-19T15:03:46.620Z", '
        '"approximateArrivalOfLastRecord": "2023-06-19T15:03:48.000Z", "batchSize": 3, '
        '"streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}}'
    )


TABLE = replace(
    PIPE, source="arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
)


def test_age_has_a_condition_of_its_own() -> None:
    assert of(PIPE, Condition.AGE)["context"]["condition"] == "RecordAgeExceeded"


def test_a_table_s_stream_has_a_key_of_its_own_for_the_same_members() -> None:
    kinesis, table = of(PIPE), of(TABLE)
    assert list(table) == ["context", "version", "timestamp", "DDBStreamBatchInfo"]
    assert table["DDBStreamBatchInfo"] == {
        **kinesis["KinesisBatchInfo"],
        "streamArn": TABLE.source,
    }


def of(pipe: Pipe, condition: Condition = Condition.ATTEMPTS) -> Any:
    return json.loads(message(records(1), condition, pipe, "0", 0.0))


def test_a_gap_starts_a_new_range() -> None:
    batch = records(6)
    assert ranges([batch[0], batch[1], batch[4]], batch) == [[batch[0], batch[1]], [batch[4]]]


def test_nothing_given_up_on_makes_no_range() -> None:
    assert ranges([], records(3)) == []


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_ranges_hold_exactly_what_was_given_up_on_without_a_gap(case: tuple[int, set[int]]) -> None:
    size, given_up = case
    batch = records(size)
    found = ranges([batch[i] for i in sorted(given_up)], batch)
    numbers = [[int(record.body) for record in run] for run in found]
    assert [number for run in numbers for number in run] == sorted(given_up)
    assert all(run == list(range(run[0], run[-1] + 1)) for run in numbers)
    assert all(before[-1] + 1 < after[0] for before, after in pairwise(numbers))
