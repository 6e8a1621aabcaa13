"""Puts a pipe together from what its definition names."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.execution import dead_letter
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.execution.enrichment import enrichment_of
from eventbridge_pipes.execution.execution import Route
from eventbridge_pipes.execution.retry import retry_policy
from eventbridge_pipes.lifecycle import Runner
from eventbridge_pipes.pattern import Filter
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


@dataclass(frozen=True)
class Assembler:
    """Makes what runs a pipe, from what all pipes of the process share."""

    clients: Clients
    store: Store
    telemetry: Telemetry
    poller: IdlePoller = field(default_factory=IdlePoller)

    def runner(self, pipe: Pipe, origin: Origin) -> Runner:
        """Return the runner of `pipe`, not yet started."""
        kind = source_kind(pipe)
        telemetry = self.telemetry.of(pipe)
        target = target_kind(pipe).connect(pipe, self.clients)
        route = Route(pipe, target, enrichment_of(pipe, self.clients), telemetry)
        filter_ = Filter.parse(pipe.filters, kind)
        if not kind.stream:
            queue = SqsQueue(self.clients.sqs_calls, Arn.parse(pipe.source))
            return QueueRunner(pipe, queue, route.carry, filter_, telemetry)
        arn = pipe.dead_letter_arn
        dead_letters = partial(dead_letter.send, self.clients, arn) if arn else None
        retries = retry_policy(pipe)

        def delivery(shard_id: str, wait: Wait) -> Delivery:
            return Delivery(pipe, shard_id, retries, route.carry, dead_letters, telemetry, wait)

        stream = kind.stream(pipe, self.clients)
        shared = Shared(pipe, stream, self.store, self.poller, delivery, filter_, telemetry)
        return StreamRunner(shared, origin)
