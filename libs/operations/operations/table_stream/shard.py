"""Reading one shard of a table's stream, page by page."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from operations.table_stream.records import Record, record_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

PAGE_RECORDS = 1000
"""The most that one GetRecords gives."""

EMPTY_READS_AT_END = 5
"""DynamoDB does not say how far behind a reader is, and an empty page may have records behind it.
An open shard that gave nothing so many times in a row is taken to be read to its present end.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html"""


class Start(StrEnum):
    """Where a shard is begun that has no place yet."""

    OLDEST = "TRIM_HORIZON"
    NEWEST = "LATEST"


class ShardReader:
    """Begins after the sequence number `after`, if there is one, else at `start`.

    `note` hears of records that were trimmed before they were read.
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient,
        stream: str,
        shard: str,
        after: str | None,
        start: Start,
        note: Callable[[str], object],
    ) -> None:
        self._client = client
        self._stream = stream
        self._shard = shard
        self._after = after
        self._start = start
        self._note = note
        self._iterator: str | None = None
        self._empty_reads = 0
        self.finished = False

    @property
    def at_end(self) -> bool:
        """Whether nothing more can be expected at this moment."""
        return self.finished or self._empty_reads >= EMPTY_READS_AT_END

    def page(self) -> list[Record]:
        """The next records; none when there are none now, or the shard is finished."""
        exceptions = self._client.exceptions
        try:
            iterator = self._iterator or self._open()
        except exceptions.ResourceNotFoundException:
            self.finished = True
            return []
        try:
            answer = self._client.get_records(ShardIterator=iterator, Limit=PAGE_RECORDS)
        except (
            exceptions.ExpiredIteratorException,
            exceptions.TrimmedDataAccessException,
            exceptions.ResourceNotFoundException,  # DynamoDB Local's word for an old iterator
        ):
            self._iterator = None  # asking for a new one tells what it is
            return []
        self._iterator = answer.get("NextShardIterator")
        self.finished = not self._iterator
        records = [record_of(self._stream, self._shard, raw) for raw in answer["Records"]]
        self._empty_reads = 0 if records else self._empty_reads + 1
        if records:
            self._after = records[-1].place.sequence_number
        return records

    def _open(self) -> str:
        asked: dict[str, Any] = {"StreamArn": self._stream, "ShardId": self._shard}
        if self._after is not None:
            try:
                return self._client.get_shard_iterator(
                    **asked,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    SequenceNumber=self._after,
                )["ShardIterator"]
            except self._client.exceptions.TrimmedDataAccessException:
                self._note(
                    f"{self._shard} no longer has the last change that was read. Later changes "
                    "may be missing too."
                )
        iterator = self._client.get_shard_iterator(**asked, ShardIteratorType=self._start.value)
        # "The newest" would be another record the next time: then, rather some once more.
        self._start = Start.OLDEST
        return iterator["ShardIterator"]
