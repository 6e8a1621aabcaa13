"""Follow the changes of a table, across its streams and their shards.

`TableFollower(client, table, …).look()` returns the changes since the call before. Whoever keeps
the place of each change can continue after it later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

PAGE_RECORDS = 1000
"""The most that one GetRecords returns."""

EMPTY_READS_AT_END = 5
"""DynamoDB does not say how far behind a reader is, and an empty page may have records behind it.
After so many empty pages, an open shard counts as read to its present end.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html"""

LIST_EVERY_SECONDS = 10.0
"""How often the shards are listed, unless one is finished: then they are listed at once."""

Item = Mapping[str, Any]
"""An item as the DynamoDB API returns it: {"quantity": {"N": "5"}, …}."""

Places = Mapping[str, Mapping[str, str]]
"""The last sequence number that was read, by stream (its ARN) and shard."""


@dataclass(frozen=True, slots=True)
class Place:
    """Identifies a change among all changes of all streams."""

    stream: str
    shard: str
    sequence_number: str


@dataclass(frozen=True, slots=True)
class Change:
    """An item before and after it changed; None where there was none.

    `at` is in epoch seconds. DynamoDB rounds it to seconds, LocalStack to minutes.
    """

    place: Place
    at: float
    keys: Item
    before: Item | None
    after: Item | None


class Start(StrEnum):
    """Where to begin in a shard that was not read before."""

    OLDEST = "TRIM_HORIZON"
    NEWEST = "LATEST"


class NoStreamError(Exception):
    """The table has no stream, or none after the last one that was read."""


class TableFollower:
    """Reads the changes of a table that its streams still hold, or those from now on.

    It continues after `places`, in the stream `current`; without them it begins at `start`. `note`
    gets a sentence about changes that can no longer be read.
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient,
        table: str,
        *,
        current: str | None = None,
        places: Places | None = None,
        start: Start = Start.OLDEST,
        note: Callable[[str], object] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._table = table
        self._places = places or {}
        self._start = start
        self._note = note
        self._clock = clock
        if current is None:
            streams = self._streams()
            if not streams:
                raise NoStreamError(f"The table {table} has no stream.")
            current = min(streams) if start is Start.OLDEST else max(streams)
        self._stream = self._reader(current)

    @property
    def at_end(self) -> bool:
        """Whether all present changes are read, as far as DynamoDB shows it."""
        return self._stream.at_end and (not self._stream.over or self._next() is None)

    def look(self) -> list[Change]:
        """Return up to a page of new changes of each shard, those of an item in their order.

        Raises NoStreamError.
        """
        if self._stream.over and (stream := self._next()) is not None:
            self._stream = self._reader(stream)
        changes = self._stream.look()
        if self._stream.gone:
            self._note(f"{self._stream.arn} was deleted. Its unread changes are lost.")
            if (stream := self._next()) is None:
                raise NoStreamError(
                    f"The stream of {self._table} was deleted, and the table has no newer one."
                )
            self._stream = self._reader(stream)
        return changes

    def _reader(self, stream: str) -> _StreamReader:
        start, self._start = self._start, Start.OLDEST
        places = self._places.get(stream, {})
        return _StreamReader(self._client, stream, places, start, self._note, self._clock)

    def _next(self) -> str | None:
        return min((arn for arn in self._streams() if arn > self._stream.arn), default=None)

    def _streams(self) -> list[str]:
        """The ARNs of the table's streams. They end with the time of creation, so they sort."""
        found: list[str] = []
        request: dict[str, Any] = {"TableName": self._table}
        while True:
            answer = self._client.list_streams(**request)
            found += [stream["StreamArn"] for stream in answer["Streams"]]
            last = answer.get("LastEvaluatedStreamArn")
            if not last:
                return found
            request["ExclusiveStartStreamArn"] = last


@dataclass
class _StreamReader:
    """Reads the shards of one stream, each after its parent: so an item's changes stay in order.

    `gone`: there is no such stream. `over`: it is read, and no more will come, because it was
    disabled or its table was deleted.
    """

    client: DynamoDBStreamsClient
    arn: str
    places: Mapping[str, str]
    start: Start
    note: Callable[[str], object]
    clock: Callable[[], float]
    gone: bool = False
    disabled: bool = False
    finished: set[str] = field(default_factory=set)
    readers: dict[str, _ShardReader] = field(default_factory=dict)
    list_at: float | None = None

    @property
    def over(self) -> bool:
        is_read = self.list_at is not None and not self.readers
        return self.gone or (self.disabled and is_read)

    @property
    def at_end(self) -> bool:
        is_read = all(reader.at_end for reader in self.readers.values())
        return self.over or (self.list_at is not None and is_read)

    def look(self) -> list[Change]:
        if self.list_at is None or self.clock() >= self.list_at:
            self.list_at = self.clock() + LIST_EVERY_SECONDS
            self._open_readers()
        changes = [change for reader in self.readers.values() for change in reader.page()]
        finished = {shard for shard, reader in self.readers.items() if reader.finished}
        if finished:
            self.finished |= finished
            self.list_at = None
            self.readers = {k: v for k, v in self.readers.items() if k not in finished}
        return changes

    def _open_readers(self) -> None:
        """Read the shards whose parent is finished, or past its retention: no longer listed.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
        """
        try:
            shards = self._shards()
        except self.client.exceptions.ResourceNotFoundException:
            self.gone = True
            self.readers.clear()
            return
        if self.start is Start.NEWEST:
            self.finished |= {s["ShardId"] for s in shards if _is_closed(s)}
        unfinished = ({s["ShardId"] for s in shards} | self.readers.keys()) - self.finished
        for shard in shards:
            name = shard["ShardId"]
            is_due = name in unfinished and shard.get("ParentShardId") not in unfinished
            if is_due and name not in self.readers:
                self.readers[name] = _ShardReader(
                    self.client, self.arn, name, self.places.get(name), self.start, self.note
                )
        self.start = Start.OLDEST

    def _shards(self) -> list[Any]:
        found: list[Any] = []
        request: dict[str, Any] = {"StreamArn": self.arn}
        while True:
            page = self.client.describe_stream(**request)["StreamDescription"]
            found += page.get("Shards", [])
            self.disabled = page.get("StreamStatus") == "DISABLED"
            last = page.get("LastEvaluatedShardId")
            if not last:
                return found
            request["ExclusiveStartShardId"] = last


@dataclass
class _ShardReader:
    """Reads one shard after the sequence number `after`, or else from `start`."""

    client: DynamoDBStreamsClient
    stream: str
    shard: str
    after: str | None
    start: Start
    note: Callable[[str], object]
    finished: bool = False
    iterator: str | None = None
    empty_reads: int = 0

    @property
    def at_end(self) -> bool:
        return self.finished or self.empty_reads >= EMPTY_READS_AT_END

    def page(self) -> list[Change]:
        exceptions = self.client.exceptions
        try:
            iterator = self.iterator or self._open()
        except exceptions.ResourceNotFoundException:
            self.finished = True
            return []
        try:
            answer = self.client.get_records(ShardIterator=iterator, Limit=PAGE_RECORDS)
        except (
            exceptions.ExpiredIteratorException,
            exceptions.TrimmedDataAccessException,
            exceptions.ResourceNotFoundException,  # DynamoDB Local's word for an old iterator
        ):
            self.iterator = None  # the call for a new one shows which it is
            return []
        self.iterator = answer.get("NextShardIterator")
        self.finished = not self.iterator
        changes = [self._change(record["dynamodb"]) for record in answer["Records"]]
        self.empty_reads = 0 if changes else self.empty_reads + 1
        if changes:
            self.after = changes[-1].place.sequence_number
        return changes

    def _open(self) -> str:
        request: dict[str, Any] = {"StreamArn": self.stream, "ShardId": self.shard}
        if self.after is not None:
            try:
                return self.client.get_shard_iterator(
                    **request,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    SequenceNumber=self.after,
                )["ShardIterator"]
            except self.client.exceptions.TrimmedDataAccessException:
                self.note(
                    f"{self.shard} no longer has the last change that was read. Later changes "
                    "may be missing too."
                )
        answer = self.client.get_shard_iterator(**request, ShardIteratorType=self.start.value)
        # NEWEST would be another record the next time: rather read some twice.
        self.start = Start.OLDEST
        return answer["ShardIterator"]

    def _change(self, record: Any) -> Change:
        return Change(
            Place(self.stream, self.shard, record["SequenceNumber"]),
            record["ApproximateCreationDateTime"].timestamp(),
            record["Keys"],
            record.get("OldImage"),
            record.get("NewImage"),
        )


def _is_closed(shard: Any) -> bool:
    return "EndingSequenceNumber" in shard.get("SequenceNumberRange", {})


def table_of(stream: str) -> str:
    """The ARN of the table of a stream."""
    return stream.rpartition("/stream/")[0]
