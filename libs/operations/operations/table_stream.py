"""Follow the changes of a table, across its streams and their shards.

`TableFollower(client, table, …).look()` returns the changes since the call before. Whoever keeps
the place of each change can continue after it later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
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


@dataclass
class TableFollower:
    """Reads the changes of a table that its streams still hold, or those from now on.

    It continues after `places`, in the stream `current`; without them it begins at `start`. `note`
    gets a sentence about changes that can no longer be read.
    """

    client: DynamoDBStreamsClient
    table: str
    _: KW_ONLY
    current: str | None = None
    places: Places = field(default_factory=dict)
    start: Start = Start.OLDEST
    note: Callable[[str], object] = lambda text: None
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.current is None:
            streams = self._streams()
            if not streams:
                raise NoStreamError(f"The table {self.table} has no stream.")
            self.current = min(streams) if self.start is Start.OLDEST else max(streams)
        self._begin(self.current)

    def _begin(self, stream: str) -> None:
        self._stream = stream
        self._disabled = False
        self._finished: set[str] = set()
        self._readers: dict[str, _ShardReader] = {}
        self._list_at: float | None = None

    @property
    def at_end(self) -> bool:
        """Whether all present changes are read, as far as DynamoDB shows it."""
        if self._list_at is None or not all(reader.at_end for reader in self._readers.values()):
            return False
        return not self._is_over or self._next() is None

    def look(self) -> list[Change]:
        """Return up to a page of new changes of each shard, those of an item in their order.

        Raises NoStreamError.
        """
        if self._is_over and (stream := self._next()) is not None:
            self._begin(stream)
        if self._list_at is None or self.clock() >= self._list_at:
            self._list_at = self.clock() + LIST_EVERY_SECONDS
            try:
                self._open_readers(self._shards())
            except self.client.exceptions.ResourceNotFoundException:
                self._leave_deleted()
                return []
        changes = [change for reader in self._readers.values() for change in reader.page()]
        finished = {shard for shard, reader in self._readers.items() if reader.finished}
        if finished:
            self._finished |= finished
            self._list_at = None
            self._readers = {k: v for k, v in self._readers.items() if k not in finished}
        return changes

    @property
    def _is_over(self) -> bool:
        """Whether the stream is read and gets no more changes: it, or its table, is disabled."""
        return self._disabled and self._list_at is not None and not self._readers

    def _leave_deleted(self) -> None:
        self.note(f"{self._stream} was deleted. Its unread changes are lost.")
        stream = self._next()
        if stream is None:
            raise NoStreamError(
                f"The stream of {self.table} was deleted, and the table has no newer one."
            )
        self._begin(stream)

    def _open_readers(self, shards: Sequence[Any]) -> None:
        """Read each shard after its parent, so that an item's changes stay in order.

        A parent that is not listed is past its retention.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
        """
        if self.start is Start.NEWEST:
            self._finished |= {shard["ShardId"] for shard in shards if _is_closed(shard)}
        names = {shard["ShardId"] for shard in shards}
        unfinished = (names | self._readers.keys()) - self._finished
        places = self.places.get(self._stream, {})
        for shard in shards:
            name = shard["ShardId"]
            is_due = name in unfinished and shard.get("ParentShardId") not in unfinished
            if is_due and name not in self._readers:
                self._readers[name] = _ShardReader(
                    self.client, self._stream, name, places.get(name), self.start, self.note
                )
        self.start = Start.OLDEST

    def _next(self) -> str | None:
        return min((arn for arn in self._streams() if arn > self._stream), default=None)

    def _streams(self) -> list[str]:
        """The ARNs of the table's streams. They end with the time of creation, so they sort."""
        pages = _pages(self.client.list_streams, "StreamArn", TableName=self.table)
        return [stream["StreamArn"] for page in pages for stream in page["Streams"]]

    def _shards(self) -> list[Any]:
        found: list[Any] = []
        for page in _pages(self.client.describe_stream, "ShardId", StreamArn=self._stream):
            description = page["StreamDescription"]
            found += description.get("Shards", [])
            self._disabled = description.get("StreamStatus") == "DISABLED"
        return found


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


def _pages(call: Callable[..., Any], key: str, **request: Any) -> Iterator[Any]:
    """The answers to a call that boto3 does not paginate; each names the last `key` in it."""
    while True:
        answer = call(**request)
        yield answer
        last = answer.get("StreamDescription", answer).get(f"LastEvaluated{key}")
        if not last:
            return
        request[f"ExclusiveStart{key}"] = last
