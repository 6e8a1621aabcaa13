from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import LATEST, OLDEST, Position
from eventbridge_pipes.runners.stream import starting_position
from eventbridge_pipes.sources.kinesis import iterator_arguments
from pipes_samples import PIPE

STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/sample/stream/2023-11-14T22:13:20.000"


def kinesis_pipe(**members: Any) -> Pipe:
    return replace(PIPE, source_parameters={"KinesisStreamParameters": members})


def table_pipe(**members: Any) -> Pipe:
    parameters = {"DynamoDBStreamParameters": members}
    return replace(PIPE, source=STREAM, source_parameters=parameters)


@pytest.mark.parametrize("of_kind", [kinesis_pipe, table_pipe])
def test_trim_horizon_is_the_oldest_record(of_kind: Callable[..., Pipe]) -> None:
    assert starting_position(of_kind(StartingPosition="TRIM_HORIZON")) == OLDEST


@pytest.mark.parametrize("of_kind", [kinesis_pipe, table_pipe])
def test_latest_is_fixed_when_the_pipe_starts(of_kind: Callable[..., Pipe]) -> None:
    assert starting_position(of_kind(StartingPosition="LATEST")) == LATEST


def test_at_timestamp_is_the_time_that_was_given() -> None:
    at = kinesis_pipe(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=5.5)
    assert starting_position(at) == Position(at=5.5)


def test_all_that_is_in_a_queue_is_due() -> None:
    queue = "arn:aws:sqs:us-east-1:000000000000:sample"
    assert starting_position(replace(PIPE, source=queue, source_parameters={})) == OLDEST


@pytest.mark.parametrize(
    ("position", "arguments"),
    [
        (OLDEST, {"ShardIteratorType": "TRIM_HORIZON"}),
        (LATEST, {"ShardIteratorType": "LATEST"}),
        (
            Position(after="0007"),
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": "0007"},
        ),
        (
            Position(at=0.5),
            {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 0.5},
        ),
    ],
)
def test_kinesis_gets_a_position_in_its_own_terms(
    position: Position, arguments: dict[str, Any]
) -> None:
    assert iterator_arguments(position) == arguments


def test_a_position_reads_well_in_the_log() -> None:
    assert str(OLDEST) == "the oldest record"
    assert str(LATEST) == "the next new record"
    assert str(Position(after="0007")) == "the record after 0007"
    assert str(Position(at=0.5)) == "what arrived since 1970-01-01T00:00:00.500000+00:00"
