"""The whole stream is read, and its age is told, whatever the clock of this machine says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from inventory_aws.stream import created_at, read_all
from operations.verify.gather import DEPLOYMENT_SECONDS, made_again

NOW = datetime.now(UTC).replace(microsecond=0)
PAGE = 10


class Kinesis:
    """A stream of a server whose clock is `ahead` of ours. It gives ten records at a time.

    Another record arrives with each call. Of the `closed` shard one knows the end.
    """

    def __init__(self, records: int, ahead: timedelta, closed: bool = False) -> None:
        self.now, self.records, self.closed = NOW + ahead, records, closed
        self.created = self.now

    def list_shards(self, **_: Any) -> Any:
        return {"Shards": [{"ShardId": "shardId-0"}]}

    def get_shard_iterator(self, **_: Any) -> Any:
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str, Limit: int) -> Any:  # noqa: N803 - AWS's name
        first = int(ShardIterator)
        last = min(first + PAGE, self.records)
        self.records += not self.closed
        is_end = self.closed and last == self.records
        return {
            "Records": [
                {
                    "SequenceNumber": str(n),
                    "ApproximateArrivalTimestamp": self.now,
                    "Data": b"{}",
                    "PartitionKey": "P1",
                }
                for n in range(first, last)
            ],
            "MillisBehindLatest": 1000 * (last < self.records - 1),
            **({} if is_end else {"NextShardIterator": str(last)}),
        }

    def describe_stream_summary(self, **_: Any) -> Any:
        return {
            "StreamDescriptionSummary": {
                "StreamCreationTimestamp": self.created,
                "RetentionPeriodHours": 24,
            },
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now)}},
        }


@pytest.mark.parametrize("ahead", [timedelta(hours=hours) for hours in (-30, 0, 30)])
@pytest.mark.parametrize("closed", [False, True])
def test_all_that_was_there_is_read_and_reading_ends_though_more_arrives(
    ahead: timedelta, closed: bool
) -> None:
    kinesis: Any = Kinesis(50, ahead, closed)
    numbers = [record.sequence_number for record in read_all(kinesis, "stream")]
    assert numbers[:50] == list(range(50))
    assert len(numbers) < 60


@pytest.mark.parametrize("ahead", [timedelta(hours=hours) for hours in (-30, 0, 30)])
def test_whether_records_can_have_expired_is_judged_by_the_clock_of_the_stream(
    ahead: timedelta,
) -> None:
    kinesis: Any = Kinesis(0, ahead)
    for age, is_young in ((timedelta(hours=23), True), (timedelta(hours=24), False)):
        kinesis.created = kinesis.now - age
        assert created_at(kinesis, "stream") == (kinesis.created.timestamp(), is_young)


def test_a_stream_younger_than_its_pipe_or_its_table_was_made_again() -> None:
    assert not made_again(stream=100.9, table=90.0, pipe=100.0)
    assert not made_again(stream=100.0, table=90.0, pipe=None)
    assert not made_again(stream=100.0, table=90.0, pipe=80.0)
    assert made_again(stream=101.0, table=90.0, pipe=100.9)
    assert made_again(stream=100.1 + DEPLOYMENT_SECONDS, table=100.0, pipe=None)
