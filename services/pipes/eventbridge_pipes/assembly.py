"""Puts the workers of a pipe together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from eventbridge_pipes.arns import Arn
from eventbridge_pipes.clients import Clients
from eventbridge_pipes.delivery.batching import BatchRules
from eventbridge_pipes.delivery.dead_letter_queue import DeadLetterQueue
from eventbridge_pipes.delivery.delivery import DeadLetters, Delivery, Target
from eventbridge_pipes.delivery.retry import RetryPolicy
from eventbridge_pipes.logs import PipeLog
from eventbridge_pipes.model import Pipe
from eventbridge_pipes.sources.kinesis import KinesisShard, KinesisStream
from eventbridge_pipes.sources.stream import ShardReads, Stream
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.streams.buffer import RecordBuffer
from eventbridge_pipes.streams.positions import Position
from eventbridge_pipes.streams.reader import ShardReader
from eventbridge_pipes.streams.supervisor import DISCOVERY_SECONDS, Supervisor
from eventbridge_pipes.streams.worker import ShardWorker
from eventbridge_pipes.targets.function import LambdaTarget


@dataclass(frozen=True)
class Ends:
    """What a pipe connects. `shard` opens one shard of the stream by its id."""

    stream: Stream
    shard: Callable[[str], ShardReads]
    target: Target
    dead_letters: DeadLetters | None


def connect_ends(pipe: Pipe, clients: Clients) -> Ends:
    """The ends that the ARNs of `pipe` name."""
    stream = Arn.parse(pipe.source)
    dead_letter_arn = pipe.stream.dead_letter_arn
    return Ends(
        stream=KinesisStream(clients.kinesis, pipe.source),
        shard=lambda shard_id: KinesisShard(clients.kinesis, stream, shard_id, pipe.role_arn),
        target=LambdaTarget(clients.lambda_, pipe.target),
        dead_letters=DeadLetterQueue(clients, dead_letter_arn) if dead_letter_arn else None,
    )


def assemble(
    pipe: Pipe, origin: Origin, ends: Ends, store: Store, discovery: float = DISCOVERY_SECONDS
) -> Supervisor:
    """The supervisor of `pipe`, not yet started."""
    parameters = pipe.stream
    log = PipeLog(pipe.name)
    batches = BatchRules(pipe.batches.size, pipe.batches.window)
    retries = RetryPolicy(parameters.maximum_retries, parameters.maximum_age, parameters.bisect)

    def worker(
        shard_id: str,
        position: Position,
        ended: Callable[[], None],
        in_doubt: Callable[[], None],
    ) -> ShardWorker:
        stop_reading, stop = threading.Event(), threading.Event()
        buffer = RecordBuffer(batches)
        shard = ends.shard(shard_id)
        reader = ShardReader(shard, shard_id, position, buffer, stop_reading, in_doubt, log)
        delivery = Delivery(
            ends.target,
            ends.dead_letters,
            retries,
            pipe_arn=pipe.arn,
            stream_arn=pipe.source,
            shard_id=shard_id,
            wait=stop.wait,
            log=log,
        )
        return ShardWorker(
            pipe.name, shard_id, reader, buffer, delivery, store, stop_reading, stop, ended, log
        )

    return Supervisor(pipe, origin, ends.stream, store, worker, discovery)
