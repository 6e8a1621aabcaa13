"""A Kinesis stream as source: its shards, and the records of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from eventbridge_pipes import faults
from eventbridge_pipes.arns import Arn
from eventbridge_pipes.positions import Position, iterator_arguments
from eventbridge_pipes.records import KinesisShape, Record
from eventbridge_pipes.shards import Shard

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class SourceError(Exception):
    """The stream cannot be read at this moment; trying again may help."""


class ThrottledError(SourceError):
    """The shard is read more often than Kinesis allows."""


class ExpiredIteratorError(SourceError):
    """The iterator is too old, or the stream does not know it any more."""


class SourceNotFoundError(SourceError):
    """There is no such stream or shard."""


class PositionLostError(SourceError):
    """The stream does not know the sequence number that reading should go on after."""


@dataclass(frozen=True)
class Page:
    """What one read gave. `next_iterator` is None at the end of a closed shard.

    `behind`: there are more records to read right now.
    """

    records: list[Record]
    next_iterator: str | None
    behind: bool


class KinesisStream:
    """One stream, as the supervisor of a pipe sees it."""

    def __init__(self, client: KinesisClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def created(self) -> float:
        """When the stream was created, in epoch seconds: another time is another stream."""
        with _translated():
            answer = self._client.describe_stream_summary(StreamARN=self._arn)
        # The client leaves times as the numbers that they are on the wire.
        return float(cast(Any, answer["StreamDescriptionSummary"]["StreamCreationTimestamp"]))

    def shards(self) -> list[Shard]:
        """All shards that the stream still has, the closed ones too."""
        found: list[Shard] = []
        arguments: dict[str, Any] = {"StreamARN": self._arn}
        while True:
            with _translated():
                page = self._client.list_shards(**arguments)
            for shard in page["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                found.append(Shard(shard["ShardId"], tuple(p for p in parents if p)))
            if not page.get("NextToken"):
                return found
            arguments = {"NextToken": page["NextToken"]}


class KinesisShard:
    """One shard, as its reader sees it."""

    def __init__(self, client: KinesisClient, stream: Arn, shard_id: str, role_arn: str) -> None:
        self._client = client
        self._stream = stream
        self._shard_id = shard_id
        self._shape = KinesisShape(stream, shard_id, role_arn)

    def iterator(self, position: Position) -> str:
        """Raises PositionLostError when the stream does not know the position."""
        with _translated():
            answer = self._client.get_shard_iterator(
                StreamARN=self._stream.text,
                ShardId=self._shard_id,
                **iterator_arguments(position),
            )
        return answer["ShardIterator"]

    def page(self, iterator: str, limit: int) -> Page:
        with _translated():
            answer = self._client.get_records(
                StreamARN=self._stream.text, ShardIterator=iterator, Limit=limit
            )
        records = [self._shape.record(cast(dict[str, Any], raw)) for raw in answer["Records"]]
        behind = len(records) >= limit or answer.get("MillisBehindLatest", 0) > 0
        # A null iterator, however the stubs have it, is the end of a closed shard.
        return Page(records, answer.get("NextShardIterator"), behind)


_ERRORS: dict[str, type[SourceError]] = {
    "ExpiredIteratorException": ExpiredIteratorError,
    "ResourceNotFoundException": SourceNotFoundError,
    "InvalidArgumentException": PositionLostError,
}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except faults.CallError as error:
        kind = _ERRORS.get(faults.code_of(error), SourceError)
        if faults.is_throttling(error):
            kind = ThrottledError
        raise kind(faults.describe(error)) from error
