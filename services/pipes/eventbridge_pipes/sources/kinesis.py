"""A Kinesis stream as source: its shards, and the records of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from eventbridge_pipes import faults
from eventbridge_pipes.arns import Arn
from eventbridge_pipes.sources.records import KinesisShape
from eventbridge_pipes.sources.stream import (
    ExpiredIteratorError,
    Page,
    PositionLostError,
    SourceError,
    SourceNotFoundError,
    ThrottledError,
)
from eventbridge_pipes.streams.positions import Position, iterator_arguments
from eventbridge_pipes.streams.shards import Shard

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class KinesisStream:
    """One stream (see `source.Stream`)."""

    def __init__(self, client: KinesisClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def created(self) -> float:
        with _translated():
            answer = self._client.describe_stream_summary(StreamARN=self._arn)
        # The client leaves times as the numbers that they are on the wire.
        return float(cast(Any, answer["StreamDescriptionSummary"]["StreamCreationTimestamp"]))

    def shards(self) -> list[Shard]:
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
    """One shard (see `source.ShardReads`)."""

    def __init__(self, client: KinesisClient, stream: Arn, shard_id: str, role_arn: str) -> None:
        self._client = client
        self._stream = stream
        self._shard_id = shard_id
        self._shape = KinesisShape(stream, shard_id, role_arn)

    def iterator(self, position: Position) -> str:
        with _translated(invalid_argument=PositionLostError):
            answer = self._client.get_shard_iterator(
                StreamARN=self._stream.text,
                ShardId=self._shard_id,
                **iterator_arguments(position),
            )
        return answer["ShardIterator"]

    def page(self, iterator: str, limit: int) -> Page:
        # Only the iterator can be invalid here; some emulators forget them when they restart.
        with _translated(invalid_argument=ExpiredIteratorError):
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
}


@contextmanager
def _translated(invalid_argument: type[SourceError] = SourceError) -> Iterator[None]:
    try:
        yield
    except faults.CallError as error:
        code = faults.code_of(error)
        kind = _ERRORS.get(code, SourceError)
        if code == "InvalidArgumentException":
            kind = invalid_argument
        if faults.is_throttling(error):
            kind = ThrottledError
        raise kind(faults.describe(error)) from error
