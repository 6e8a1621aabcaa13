"""How many records a batch may have: what source and target allow together."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.protocol import field_name
from eventbridge_pipes.api.rules.wording import Members, arn_of, is_fifo
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.sources.kinds import SourceKind
from eventbridge_pipes.targets.kinds import TargetKind

QUEUE_BATCH = 10
"""What one ReceiveMessage can bring: more takes several, and so a window to collect them in."""


def default_batch_size(source: SourceKind, target: TargetKind) -> int:
    """The size of batches when none is given: the source's default, within the target's limit.

    A stream's default is 100, yet AWS accepts a pipe from a table's stream to a queue that gives
    no size: https://github.com/awsdocs/amazon-eventbridge-user-guide/pull/34 has it as 10 then.
    """
    return min(source.default_batch_size, target.batch_limit or source.default_batch_size)


def batch_violations(definition: Members) -> Iterator[Violation]:
    source, target = arn_of(definition["Source"]), arn_of(definition["Target"])
    kind = SourceKind.of(source) if source else None
    if source is None or kind is None:
        return
    parameters = definition.get("SourceParameters", {}).get(kind.parameters, {})
    where = field_name("sourceParameters", kind.parameters)
    size = parameters.get("BatchSize", 1)
    yield from _over_the_targets(f"{where}.batchSize", size, target)
    if kind is SourceKind.SQS:
        window = parameters.get("MaximumBatchingWindowInSeconds", 0)
        yield from _queue(where, size, window, is_fifo(source))


def _over_the_targets(where: str, size: int, target: Arn | None) -> Iterator[Violation]:
    kind = TargetKind.of(target) if target else None
    if kind and kind.batch_limit and size > kind.batch_limit:
        yield Violation(
            where,
            f"The configured batch size {size} is greater than the max supported batch size "
            f"{kind.batch_limit} for {kind.label} as target",
        )


def _queue(where: str, size: int, window: int, fifo: bool) -> Iterator[Violation]:
    """The limits that Lambda's event source mapping has for queues.

    Pipes polls queues in the same way, but no page says whether it has them too: what is accepted
    with them is accepted without them.
    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    if fifo and size > QUEUE_BATCH:
        message = f"The batch size of a FIFO queue is at most {QUEUE_BATCH}, not {size}"
        yield Violation(f"{where}.batchSize", message)
    if fifo and window:
        message = "A FIFO queue as source has no batching window: leave it out, or set it to 0"
        yield Violation(f"{where}.maximumBatchingWindowInSeconds", message)
    if not fifo and size > QUEUE_BATCH and not window:
        yield Violation(
            f"{where}.maximumBatchingWindowInSeconds",
            f"A batch size over {QUEUE_BATCH} needs a MaximumBatchingWindowInSeconds of at least 1",
        )
