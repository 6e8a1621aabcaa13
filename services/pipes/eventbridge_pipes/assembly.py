"""Puts a pipe together from what its definition names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.execution import dead_letter
from eventbridge_pipes.execution.enrichment import enrichment_of
from eventbridge_pipes.execution.execution import Route
from eventbridge_pipes.lifecycle import Supervisor
from eventbridge_pipes.pattern import Filter, Pattern
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.runners.assembly import Ends, assemble
from eventbridge_pipes.runners.idle import Sleepers
from eventbridge_pipes.runners.queue import QueueRunner
from eventbridge_pipes.sources.dynamodb import DynamoDbShard, DynamoDbStream
from eventbridge_pipes.sources.kinds import SourceKind, source_kind
from eventbridge_pipes.sources.kinesis import KinesisShard, KinesisStream
from eventbridge_pipes.sources.source import ShardReads, Stream
from eventbridge_pipes.sources.sqs import SqsQueue
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.targets import target_kind
from eventbridge_pipes.telemetry.metrics import Telemetry


class Assembler:
    """Makes what runs a pipe. Everything it is given, the pipes of a process share."""

    def __init__(self, clients: Clients, store: Store, telemetry: Telemetry) -> None:
        self._clients = clients
        self._store = store
        self._telemetry = telemetry
        self._sleepers = Sleepers()

    def supervise(self, pipe: Pipe, origin: Origin) -> Supervisor:
        """The supervisor of `pipe`, not yet started."""
        telemetry = self._telemetry.of(pipe)
        target = target_kind(pipe).connect(pipe, self._clients)
        route = Route(pipe, target, enrichment_of(pipe, self._clients), telemetry)
        filter_ = Filter([Pattern.parse(text, source_kind(pipe)) for text in pipe.filters])
        if source_kind(pipe) is SourceKind.SQS:
            queue = SqsQueue(self._clients.sqs_calls, Arn.parse(pipe.source))
            return QueueRunner(pipe, queue, route.carry, filter_, telemetry)
        stream, shard = _stream(pipe, self._clients)
        arn = pipe.dead_letter_arn
        dead_letters = partial(dead_letter.send, self._clients, arn) if arn else None
        ends = Ends(stream, shard, route, telemetry, dead_letters, filter_)
        return assemble(pipe, origin, ends, self._store, self._sleepers)


def _stream(pipe: Pipe, clients: Clients) -> tuple[Stream, Callable[[str], ShardReads]]:
    arn = Arn.parse(pipe.source)
    if source_kind(pipe) is SourceKind.DYNAMODB:
        table = clients.dynamodbstreams_calls
        return DynamoDbStream(table, arn.text), lambda id_: DynamoDbShard(table, arn, id_)
    kinesis = clients.kinesis_calls
    return (
        KinesisStream(kinesis, arn.text),
        lambda id_: KinesisShard(kinesis, arn, id_, pipe.role_arn),
    )
