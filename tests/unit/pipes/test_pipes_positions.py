from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from eventbridge_pipes.model import StreamParameters
from eventbridge_pipes.streams.positions import (
    OLDEST,
    Position,
    iterator_arguments,
    starting_position,
)


def parameters(**members: Any) -> StreamParameters:
    return StreamParameters.of(members)


def test_trim_horizon_is_the_oldest_record() -> None:
    assert starting_position(parameters(StartingPosition="TRIM_HORIZON"), now=9.0) == OLDEST


def test_latest_is_pinned_to_the_millisecond_of_the_start() -> None:
    pinned = starting_position(parameters(StartingPosition="LATEST"), now=1700000000.1239)
    assert pinned == Position(at=1700000000.123)


def test_at_timestamp_is_the_time_that_was_given() -> None:
    at = parameters(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=5.5)
    assert starting_position(at, now=9.0) == Position(at=5.5)


@pytest.mark.parametrize(
    ("position", "arguments"),
    [
        (OLDEST, {"ShardIteratorType": "TRIM_HORIZON"}),
        (
            Position(after="0007"),
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": "0007"},
        ),
        (
            Position(at=0.5),
            {
                "ShardIteratorType": "AT_TIMESTAMP",
                "Timestamp": datetime(1970, 1, 1, 0, 0, 0, 500000, UTC),
            },
        ),
    ],
)
def test_kinesis_is_asked_for_a_position_in_its_own_terms(
    position: Position, arguments: dict[str, Any]
) -> None:
    assert iterator_arguments(position) == arguments


def test_a_position_reads_well_in_the_log() -> None:
    assert str(OLDEST) == "the oldest record"
    assert str(Position(after="0007")) == "the record after 0007"
    assert str(Position(at=0.5)) == "what arrived since 1970-01-01T00:00:00.500000+00:00"
