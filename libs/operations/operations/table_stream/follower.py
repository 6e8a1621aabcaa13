"""Following a table: its stream, and the one after it when the table is made anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from operations.table_stream.records import Record
from operations.table_stream.shard import Start
from operations.table_stream.shards import next_stream
from operations.table_stream.stream import StreamFollower

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

Places = Mapping[str, Mapping[str, str]]
"""Of streams, by ARN, and of shards, by id, the sequence number that was read last."""


class NoStreamError(Exception):
    """The table has no stream, or none that comes after the last one that was read."""


class TableFollower:
    """All changes of a table that its streams still hold, or those from now on.

    `current` is the stream that was read last, `places` says how far it and others were read:
    it goes on after that. Without them it begins at `start`. `note` hears, in words, of what can
    no longer be read.
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
        self._follower = self._first(current)

    @property
    def at_end(self) -> bool:
        """Whether all that there is at this moment is read, as far as DynamoDB lets one know."""
        return self._follower.at_end and (not self._follower.over or self._next() is None)

    def look(self) -> list[Record]:
        """What is new: up to a page of each shard, each item's changes in their order.

        Raises NoStreamError.
        """
        if self._follower.over and (stream := self._next()) is not None:
            self._follower = self._at(stream)
        records = self._follower.look()
        if self._follower.gone:
            self._note(f"{self._follower.stream} was deleted. Its unread changes are lost.")
            if (stream := self._next()) is None:
                raise NoStreamError(
                    f"The stream of {self._table} was deleted, and the table has no newer one."
                )
            self._follower = self._at(stream)
        return records

    def _first(self, current: str | None) -> StreamFollower:
        if current is not None:
            return self._at(current)
        streams = self._streams()
        if not streams:
            raise NoStreamError(f"The table {self._table} has no stream.")
        return self._at(min(streams) if self._start is Start.OLDEST else max(streams))

    def _next(self) -> str | None:
        return next_stream(self._streams(), self._follower.stream)

    def _at(self, stream: str) -> StreamFollower:
        start, self._start = self._start, Start.OLDEST
        places = self._places.get(stream, {})
        return StreamFollower(self._client, stream, places, start, self._note, self._clock)

    def _streams(self) -> list[str]:
        """The ARNs of the table's streams; of one table they sort by their age."""
        found: list[str] = []
        asked: dict[str, Any] = {"TableName": self._table}
        while True:
            answer = self._client.list_streams(**asked)
            found += [stream["StreamArn"] for stream in answer["Streams"]]
            last = answer.get("LastEvaluatedStreamArn")
            if not last:
                return found
            asked["ExclusiveStartStreamArn"] = last
