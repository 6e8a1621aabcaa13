"""Puts a pipe together from what its definition names."""

from __future__ import annotations

from functools import partial

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.execution import dead_letter
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.execution.enrichment import enrichment_of
from eventbridge_pipes.execution.execution import Route
from eventbridge_pipes.execution.retry import RetryPolicy
from eventbridge_pipes.lifecycle import Supervisor
from eventbridge_pipes.pattern import Filter, Pattern
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.runners.idle import IdlePoller
from eventbridge_pipes.runners.queue import QueueRunner
from eventbridge_pipes.runners.shard import Shared
from eventbridge_pipes.runners.stream import StreamRunner
from eventbridge_pipes.sources import source_kind
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
        self._poller = IdlePoller()

    def supervise(self, pipe: Pipe, origin: Origin) -> Supervisor:
        """The supervisor of `pipe`, not yet started."""
        telemetry = self._telemetry.of(pipe)
        target = target_kind(pipe).connect(pipe, self._clients)
        route = Route(pipe, target, enrichment_of(pipe, self._clients), telemetry)
        filter_ = Filter([Pattern.parse(text, source_kind(pipe)) for text in pipe.filters])
        kind = source_kind(pipe)
        if not kind.stream:
            queue = SqsQueue(self._clients.sqs_calls, Arn.parse(pipe.source))
            return QueueRunner(pipe, queue, route.carry, filter_, telemetry)
        arn = pipe.dead_letter_arn
        dead_letters = partial(dead_letter.send, self._clients, arn) if arn else None
        parameters = pipe.stream
        retries = RetryPolicy(parameters.maximum_retries, parameters.maximum_age, parameters.bisect)

        def delivery(shard_id: str, wait: Wait) -> Delivery:
            return Delivery(pipe, shard_id, retries, route.carry, dead_letters, telemetry, wait)

        stream = kind.stream(pipe, self._clients)
        shared = Shared(pipe, stream, self._store, self._poller, delivery, filter_, telemetry)
        return StreamRunner(shared, origin)
