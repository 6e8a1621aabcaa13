"""Puts the parts of a pipe together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eventbridge_pipes.arns import Arn
from eventbridge_pipes.clients import Clients
from eventbridge_pipes.delivery.batching import BatchRules
from eventbridge_pipes.delivery.dead_letter_queue import DeadLetterQueue
from eventbridge_pipes.delivery.delivery import Carrier, DeadLetters, Delivery
from eventbridge_pipes.delivery.retry import RetryPolicy
from eventbridge_pipes.delivery.route import Route
from eventbridge_pipes.delivery.stages import EnrichmentStage, TargetStage
from eventbridge_pipes.delivery.transformation import Transformation
from eventbridge_pipes.events.filters import Filter
from eventbridge_pipes.events.patterns import Pattern
from eventbridge_pipes.events.templates import Context, Template
from eventbridge_pipes.logs import PipeLog
from eventbridge_pipes.model import Pipe
from eventbridge_pipes.sources.kinesis import KinesisShard, KinesisStream
from eventbridge_pipes.sources.stream import ShardReads, Stream
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.streams.buffer import RecordBuffer
from eventbridge_pipes.streams.checkpoint import ShardCheckpoint
from eventbridge_pipes.streams.intake import Intake
from eventbridge_pipes.streams.positions import Position
from eventbridge_pipes.streams.reader import ShardReader
from eventbridge_pipes.streams.sleepers import Sleepers
from eventbridge_pipes.streams.supervisor import DISCOVERY_SECONDS, Supervisor
from eventbridge_pipes.streams.worker import Lane, ShardWorker
from eventbridge_pipes.targets.limits import batch_limit
from eventbridge_pipes.watching.watch import Unwatched, Watch


@dataclass(frozen=True)
class Ends:
    """What a pipe from a stream connects. `shard` opens one shard of the stream by its id."""

    stream: Stream
    shard: Callable[[str], ShardReads]
    route: Carrier
    dead_letters: DeadLetters | None = None
    filter: Filter = field(default_factory=lambda: Filter(()))
    watch: Watch = field(default_factory=Unwatched)


def route_of(pipe: Pipe, clients: Clients, watch: Watch) -> Route:
    """The way through the enrichment and to the target that `pipe` names."""
    limit = batch_limit(Arn.parse(pipe.target))
    enrichment = enrichment_of(pipe, clients)
    return Route(
        pipe.kind,
        EnrichmentStage(enrichment, _transformation(pipe, pipe.enrichment_parameters))
        if enrichment
        else None,
        TargetStage(
            target_of(pipe, clients),
            _transformation(pipe, pipe.target_parameters),
            limit.records if limit else None,
        ),
        watch,
    )


def _transformation(pipe: Pipe, parameters: Mapping[str, Any]) -> Transformation | None:
    text = parameters.get("InputTemplate")
    if not text:
        return None
    context = Context(
        pipe_arn=pipe.arn,
        pipe_name=pipe.name,
        source_arn=pipe.source,
        enrichment_arn=pipe.enrichment or "",
        target_arn=pipe.target,
    )
    return Transformation(Template.parse(text), context)


def filter_of(pipe: Pipe) -> Filter:
    return Filter([Pattern.parse(text, pipe.kind) for text in pipe.filters])


def connect_ends(pipe: Pipe, clients: Clients, watch: Watch) -> Ends:
    """The ends that the ARNs of `pipe` name."""
    stream, shard = _stream(pipe, clients)
    dead_letter_arn = pipe.stream.dead_letter_arn
    return Ends(
        stream=stream,
        shard=shard,
        route=route_of(pipe, clients, watch),
        dead_letters=DeadLetterQueue(clients, dead_letter_arn) if dead_letter_arn else None,
        filter=filter_of(pipe),
        watch=watch,
    )


def _stream(pipe: Pipe, clients: Clients) -> tuple[Stream, Callable[[str], ShardReads]]:
    arn = Arn.parse(pipe.source)
    kinesis = clients.kinesis_calls
    return (
        KinesisStream(kinesis, pipe.source),
        lambda id_: KinesisShard(kinesis, arn, id_, pipe.role_arn),
    )


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
    batches = BatchRules(pipe.batches.size, pipe.batches.window)
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
                kind=pipe.kind,
                pipe_arn=pipe.arn,
                stream_arn=pipe.source,
                shard_id=shard_id,
                wait=stop.wait,
                log=log,
                watch=ends.watch,
            )
            return Lane(RecordBuffer(batches), delivery)

        lanes = [lane() for _ in range(parameters.lanes)]
        checkpoint = ShardCheckpoint(store, pipe.name, shard_id)
        intake = Intake(
            pipe.kind, ends.filter, [lane.buffer for lane in lanes], checkpoint, ends.watch
        )
        shard = ends.shard(shard_id)
        reader = ShardReader(
            shard, shard_id, position, intake, stop_reading, in_doubt, log, sleepers
        )
        return ShardWorker(
            shard_id, reader, lanes, checkpoint, stop_reading, stop, ended, log, ends.watch
        )

    return Supervisor(pipe, origin, ends.stream, store, worker, discovery)


# Until targets.connect is there.
def enrichment_of(pipe: Pipe, clients: Clients) -> None:
    return None


def target_of(pipe: Pipe, clients: Clients) -> Any:
    class Bridge:
        def send(self, messages: Any, calls: Any) -> Any:
            from eventbridge_pipes import faults
            from eventbridge_pipes.delivery.outcome import Fault, all_failed
            from eventbridge_pipes.targets.target import Returned, payload

            try:
                answer = clients.lambda_.invoke(FunctionName=pipe.target, Payload=payload(messages))
                body = answer["Payload"].read()
            except faults.CallError as error:
                if faults.is_service_fault(error):
                    return Fault(str(error))
                return all_failed(messages, str(error))
            if answer.get("FunctionError"):
                return all_failed(messages, "function error")
            return Returned(body)

    return Bridge()
