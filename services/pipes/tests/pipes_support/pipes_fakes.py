"""A stream in memory that can do what no emulator does: close shards, expire, throttle, break."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.execution.retry import retry_policy
from eventbridge_pipes.outcome import SUCCEEDED, Outcome
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import OLDEST, Position, Record, Shard
from eventbridge_pipes.runners.idle import IdlePoller
from eventbridge_pipes.runners.shard import ShardContext
from eventbridge_pipes.runners.stream import StreamRunner
from eventbridge_pipes.sources.source import (
    ExpiredIteratorError,
    Page,
    PendingPage,
    PositionLostError,
    SourceNotFoundError,
    Stream,
)
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE


class FakeStream:
    """A stream; `troubles` are raised one after the other, one by each read of a shard."""

    def __init__(self) -> None:
        self.born = 1.0
        self.clock = 0.0
        self.listed: list[Shard] = []
        self.records: dict[str, list[Record]] = {}
        self.closed: set[str] = set()
        self.troubles: list[Exception] = []
        self.listing_troubles: list[Exception] = []
        self.limits: list[int] = []
        self.last_seen = 0.0
        self.lock = threading.Lock()

    def add_shard(self, shard_id: str, *parents: str) -> None:
        self.listed.append(Shard(shard_id, parents))
        self.records.setdefault(shard_id, [])

    def put(self, shard_id: str, *words: str, arrived: float = 0.0, key: str = "") -> None:
        with self.lock:
            kept = self.records[shard_id]
            for word in words:
                number = f"{self.born:010.0f}{len(kept):020d}"
                kept.append(
                    Record(
                        f"{shard_id}:{number}", number, arrived, word, key, {"partitionKey": key}
                    )
                )

    def created(self) -> float:
        if self.listing_troubles:
            raise self.listing_troubles.pop(0)
        self.last_seen = self.born
        return self.born

    def now(self) -> float:
        return self.clock

    def shards(self) -> list[Shard]:
        if self.listing_troubles:
            raise self.listing_troubles.pop(0)
        return list(self.listed)

    def shard(self, shard_id: str) -> FakeShard:
        return FakeShard(self, shard_id)


class FakeShard:
    def __init__(self, stream: FakeStream, shard_id: str) -> None:
        self._stream = stream
        self._shard_id = shard_id

    def iterator(self, position: Position) -> str:
        with self._stream.lock:
            records = self._records()
            if position.after is None:
                start = len(records) if position.latest and position.at is None else 0
                return f"{self._stream.born}/{start}"
            for index, record in enumerate(records):
                if record.sequence_number == position.after:
                    return f"{self._stream.born}/{index + 1}"
            raise PositionLostError(f"{position.after} is not of this stream")

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        return lambda timeout: self.page(iterator, limit)

    def page(self, iterator: str, limit: int) -> Page:
        with self._stream.lock:
            self._stream.limits.append(limit)
            if self._stream.troubles:
                raise self._stream.troubles.pop(0)
            records = self._records()
            born, _, index = iterator.partition("/")
            if float(born) != self._stream.born:
                raise ExpiredIteratorError("of another stream")
            start = int(index)
            found = records[start : start + limit]
            end = start + len(found)
            at_end = end == len(records) and self._shard_id in self._stream.closed
            return Page(found, None if at_end else f"{born}/{end}", end < len(records))

    def _records(self) -> list[Record]:
        if self._shard_id not in self._stream.records:
            raise SourceNotFoundError(f"no shard {self._shard_id}")
        return self._stream.records[self._shard_id]


class FakeTarget:
    """Takes everything, and writes it down in order."""

    def __init__(self) -> None:
        self.delivered: list[str] = []

    def execute(self, records: Sequence[Record]) -> Outcome:
        self.delivered += [record.body for record in records]
        return SUCCEEDED


def stream_runner(
    stream: FakeStream,
    target: FakeTarget,
    store: Store,
    pipe: Pipe = PIPE,
    position: Position = OLDEST,
    filter_: Filter | None = None,
    telemetry: PipeTelemetry | None = None,
) -> StreamRunner:
    """A runner of `pipe` that continues where `store` has it, else begins at `position`."""
    origin = store.origin(pipe.arn)
    if origin is None:
        origin = Origin(stream.born, position)
        store.set_origin(pipe.arn, origin)
    runner = StreamRunner(context_by(stream, target, store, pipe, filter_, telemetry), origin)
    runner.discovery_seconds = 0.05
    return runner


def context_by(
    stream: Stream,
    target: FakeTarget,
    store: Store,
    pipe: Pipe = PIPE,
    filter_: Filter | None = None,
    telemetry: PipeTelemetry | None = None,
) -> ShardContext:
    """What the shards of a pipe from `stream` to `target` share."""
    telemetry = telemetry or PipeTelemetry(pipe.arn, PrometheusMetrics())

    def delivery(shard_id: str, wait: Wait) -> Delivery:
        return Delivery(pipe, shard_id, retry_policy(pipe), target.execute, None, telemetry, wait)

    return ShardContext(
        pipe, stream, store, IdlePoller(), delivery, filter_ or Filter(()), telemetry
    )
