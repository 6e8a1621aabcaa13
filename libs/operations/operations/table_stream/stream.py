"""Following one stream of a table, over all of its shards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from operations.table_stream.records import Record
from operations.table_stream.shard import ShardReader, Start
from operations.table_stream.shards import Shard, readable

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

LIST_EVERY_SECONDS = 10.0
"""Shards are listed again when one is finished, for its children; and now and then."""


class StreamFollower:
    """`places` are the sequence numbers that were read last, by shard.

    `gone` when there is no such stream; `over` when it is read to its last record, and no more
    will come: it was disabled, or its table was deleted.
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient,
        stream: str,
        places: Mapping[str, str],
        start: Start,
        note: Callable[[str], object],
        clock: Callable[[], float],
    ) -> None:
        self.stream = stream
        self.gone = False
        self._client = client
        self._places = places
        self._start = start
        self._note = note
        self._clock = clock
        self._shards: list[Shard] = []
        self._disabled = False
        self._finished: set[str] = set()
        self._readers: dict[str, ShardReader] = {}
        self._list_at: float | None = None

    @property
    def over(self) -> bool:
        return self.gone or (self._disabled and self._is_listed and not self._readers)

    @property
    def at_end(self) -> bool:
        """Whether every shard is read to its present end."""
        return self.over or (
            self._is_listed and all(reader.at_end for reader in self._readers.values())
        )

    def look(self) -> list[Record]:
        """A page of each shard that may be read now, in the order of each shard."""
        if self._list_at is None or self._clock() >= self._list_at:
            self._list()
        records: list[Record] = []
        for reader in list(self._readers.values()):
            records += reader.page()
        finished = {shard for shard, reader in self._readers.items() if reader.finished}
        if finished:
            self._finished |= finished
            self._list_at = None
            for shard in finished:
                del self._readers[shard]
        return records

    @property
    def _is_listed(self) -> bool:
        return self._list_at is not None

    def _list(self) -> None:
        self._list_at = self._clock() + LIST_EVERY_SECONDS
        try:
            self._shards = self._described()
        except self._client.exceptions.ResourceNotFoundException:
            self.gone = True
            self._readers.clear()
            return
        if self._start is Start.NEWEST:  # of those closed before it began, it wants nothing
            self._finished |= {shard.id for shard in self._shards if shard.closed}
        due = readable(self._shards, self._finished, self._readers)
        self._readers = {shard: self._readers.get(shard) or self._reader(shard) for shard in due}
        self._start = Start.OLDEST

    def _described(self) -> list[Shard]:
        found: list[Shard] = []
        asked: dict[str, Any] = {"StreamArn": self.stream}
        while True:
            page = self._client.describe_stream(**asked)["StreamDescription"]
            for shard in page.get("Shards", []):
                closed = "EndingSequenceNumber" in shard.get("SequenceNumberRange", {})
                found.append(Shard(shard["ShardId"], shard.get("ParentShardId"), closed))
            self._disabled = page.get("StreamStatus") == "DISABLED"
            last = page.get("LastEvaluatedShardId")
            if not last:
                return found
            asked["ExclusiveStartShardId"] = last

    def _reader(self, shard: str) -> ShardReader:
        after = self._places.get(shard)
        return ShardReader(self._client, self.stream, shard, after, self._start, self._note)
