"""Puts a pipe together from what its definition names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.execution.dead_letter_queue import DeadLetterQueue
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.execution.retry import RetryPolicy
from eventbridge_pipes.execution.route import Route
from eventbridge_pipes.execution.stages import EnrichmentStage, TargetStage
from eventbridge_pipes.execution.transformation import Transformation
from eventbridge_pipes.lifecycle import Supervisor
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pattern import Filter, Pattern
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.runners.idle import IdlePoller
from eventbridge_pipes.runners.queue import QueueRunner
from eventbridge_pipes.runners.shard import Shared
from eventbridge_pipes.runners.stream import StreamRunner
from eventbridge_pipes.sources.dynamodb import DynamoDbStream
from eventbridge_pipes.sources.kinds import SourceKind
from eventbridge_pipes.sources.kinesis import KinesisStream
from eventbridge_pipes.sources.source import Stream
from eventbridge_pipes.sources.sqs import SqsQueue
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.targets.connect import enrichment_of, target_of
from eventbridge_pipes.targets.limits import batch_limit
from eventbridge_pipes.telemetry.metrics import PipeTelemetry, Telemetry
from eventbridge_pipes.template import Context, Template


class Assembler:
    """Makes what runs a pipe. Everything it is given, the pipes of a process share."""

    def __init__(self, clients: Clients, store: Store, telemetry: Telemetry) -> None:
        self._clients = clients
        self._store = store
        self._telemetry = telemetry
        self._poller = IdlePoller()

    def supervise(self, pipe: Pipe, origin: Origin) -> Supervisor:
        """The supervisor of `pipe`, not yet started."""
        telemetry = self._telemetry.of(pipe)
        route = _route(pipe, self._clients, telemetry)
        filter_ = Filter([Pattern.parse(text, pipe.kind) for text in pipe.filters])
        if pipe.kind is SourceKind.SQS:
            queue = SqsQueue(self._clients.sqs_calls, Arn.parse(pipe.source))
            return QueueRunner(pipe, queue, route.carry, filter_, telemetry)
        letters = pipe.dead_letter_arn
        dead_letters = DeadLetterQueue(self._clients, letters) if letters else None
        parameters = pipe.stream
        retries = RetryPolicy(parameters.maximum_retries, parameters.maximum_age, parameters.bisect)

        def delivery(shard_id: str, wait: Wait) -> Delivery:
            return Delivery(
                route,
                dead_letters,
                retries,
                kind=pipe.kind,
                pipe_arn=pipe.arn,
                stream_arn=pipe.source,
                shard_id=shard_id,
                wait=wait,
                log=PipeLog(pipe.name),
                telemetry=telemetry,
            )

        stream = _stream(pipe, self._clients)
        shared = Shared(pipe, stream, self._store, self._poller, delivery, filter_, telemetry)
        return StreamRunner(shared, origin)


def _stream(pipe: Pipe, clients: Clients) -> Stream:
    arn = Arn.parse(pipe.source)
    if pipe.kind is SourceKind.DYNAMODB:
        return DynamoDbStream(clients.dynamodbstreams_calls, arn)
    return KinesisStream(clients.kinesis_calls, arn, pipe.role_arn)


def _route(pipe: Pipe, clients: Clients, telemetry: PipeTelemetry) -> Route:
    limit = batch_limit(Arn.parse(pipe.target))
    target = TargetStage(
        target_of(pipe, clients),
        _transformation(pipe, pipe.target_parameters),
        limit.records if limit else None,
    )
    enrichment = enrichment_of(pipe, clients)
    if enrichment is None:
        return Route(None, target, telemetry)
    shape = _transformation(pipe, pipe.enrichment_parameters)
    return Route(EnrichmentStage(enrichment, shape), target, telemetry)


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
