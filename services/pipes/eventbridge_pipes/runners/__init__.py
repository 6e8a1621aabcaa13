"""What runs a pipe, made from what its definition names."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.execution import dead_letter
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.execution.executor import Executor
from eventbridge_pipes.execution.retry import retry_policy
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.runners.idle import IdlePoller
from eventbridge_pipes.runners.queue import QueueRunner
from eventbridge_pipes.runners.shard import ShardContext
from eventbridge_pipes.runners.stream import StreamRunner
from eventbridge_pipes.sources import source_kind
from eventbridge_pipes.sources.sqs import SqsQueue
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.targets import target_kind, to_enrichment
from eventbridge_pipes.telemetry.metrics import Telemetry


class Runner(Protocol):
    """Runs one pipe, whatever its source is."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Ask the pipe to stop. Returns at once."""

    def join(self, timeout: float | None = None) -> bool:
        """Whether all work has ended within `timeout` seconds."""


def runner_of(
    clients: Clients,
    store: Store,
    telemetry: Telemetry,
    poller: IdlePoller,
    pipe: Pipe,
    origin: Origin,
) -> Runner:
    """Return the runner of `pipe`, not yet started. All pipes of the process share the rest."""
    kind = source_kind(pipe)
    of_pipe = telemetry.of(pipe)
    target = target_kind(pipe).connect(pipe, clients)
    enriching = to_enrichment(pipe)
    enrichment = target_kind(enriching).connect(enriching, clients) if enriching else None
    execute = Executor(pipe, target, enrichment, of_pipe).execute
    filter_ = Filter.parse(pipe.filters, kind)
    if not kind.stream:
        queue = SqsQueue(clients.sqs_calls, Arn.parse(pipe.source))
        return QueueRunner(pipe, queue, execute, filter_, of_pipe)
    arn = pipe.dead_letter_arn
    dead_letters = partial(dead_letter.send, clients, arn) if arn else None
    retries = retry_policy(pipe)

    def delivery(shard_id: str, wait: Wait) -> Delivery:
        return Delivery(pipe, shard_id, retries, execute, dead_letters, of_pipe, wait)

    stream = kind.stream(pipe, clients)
    return StreamRunner(
        ShardContext(pipe, stream, store, poller, delivery, filter_, of_pipe), origin
    )
