"""Puts the workers of a pipe from a stream together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.execution.delivery import Carrier, DeadLetters, Delivery
from eventbridge_pipes.execution.retry import RetryPolicy
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.position import Position
from eventbridge_pipes.runners.buffer import RecordBuffer
from eventbridge_pipes.runners.checkpoint import ShardCheckpoint
from eventbridge_pipes.runners.idle import Sleepers
from eventbridge_pipes.runners.intake import Intake
from eventbridge_pipes.runners.pages import PageLimit
from eventbridge_pipes.runners.reader import ShardReader
from eventbridge_pipes.runners.shard import Lane, ShardWorker
from eventbridge_pipes.runners.stream import DISCOVERY_SECONDS, Supervisor
from eventbridge_pipes.sources.kinds import source_kind
from eventbridge_pipes.sources.source import ShardReads, Stream
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.telemetry.metrics import PipeTelemetry


@dataclass(frozen=True)
class Ends:
    """What a pipe from a stream connects. `shard` opens one shard of the stream by its id."""

    stream: Stream
    shard: Callable[[str], ShardReads]
    route: Carrier
    telemetry: PipeTelemetry
    dead_letters: DeadLetters | None = None
    filter: Filter = field(default_factory=lambda: Filter(()))


def assemble(
    pipe: Pipe,
    origin: Origin,
    ends: Ends,
    store: Store,
    sleepers: Sleepers,
    discovery: float = DISCOVERY_SECONDS,
) -> Supervisor:
    """The supervisor of a `pipe` from a stream, not yet started.

    `sleepers` are those of all pipes of the process.
    """
    parameters = pipe.stream
    log = PipeLog(pipe.name)
    batches = batch_rules(pipe)
    page_limit = PageLimit()
    retries = RetryPolicy(parameters.maximum_retries, parameters.maximum_age, parameters.bisect)

    def worker(
        shard_id: str,
        position: Position,
        ended: Callable[[], None],
        in_doubt: Callable[[], None],
    ) -> ShardWorker:
        stop_reading, stop = threading.Event(), threading.Event()

        def lane() -> Lane:
            delivery = Delivery(
                ends.route,
                ends.dead_letters,
                retries,
                kind=source_kind(pipe),
                pipe_arn=pipe.arn,
                stream_arn=pipe.source,
                shard_id=shard_id,
                wait=stop.wait,
                log=log,
                telemetry=ends.telemetry,
            )
            return Lane(RecordBuffer(batches), delivery)

        lanes = [lane() for _ in range(parameters.lanes)]
        checkpoint = ShardCheckpoint(store, pipe.name, shard_id, log)
        intake = Intake(ends.filter, [lane.buffer for lane in lanes], checkpoint, ends.telemetry)
        shard = ends.shard(shard_id)
        reader = ShardReader(
            shard, shard_id, position, intake, stop_reading, in_doubt, log, sleepers, page_limit
        )
        return ShardWorker(
            shard_id, reader, lanes, checkpoint, stop_reading, stop, ended, log, ends.telemetry
        )

    return Supervisor(pipe, origin, ends.stream, store, worker, discovery)
