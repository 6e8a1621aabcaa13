"""When a batch leaves, and which records are in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources import source_kind
from eventbridge_pipes.targets import target_kind, to_enrichment
from eventbridge_pipes.targets.target import PAYLOAD_LIMIT


@dataclass(frozen=True)
class BatchRules:
    """At most `size` records; wait up to `window` seconds for them; at most `payload` bytes."""

    size: int
    window: float = 0.0
    payload: int = PAYLOAD_LIMIT


@dataclass(frozen=True)
class Cut:
    """The first `count` records leave now; if none do, look again after `wait` seconds."""

    count: int
    wait: float | None = None


def cut(sizes: Iterable[int], waited: float, ending: bool, rules: BatchRules) -> Cut:
    """Decide on the records that are waiting.

    `sizes` are the bytes that each adds to the payload, oldest first; `waited` the seconds since
    the oldest came in; `ending` whether no more will come. A single record over the payload's
    limit leaves alone: it is the target that refuses it. With nothing waiting there is nothing
    to wait for but a record (`wait` is None).
    """
    count, total = 0, 1
    for size in sizes:
        if count == rules.size or (count and total + size > rules.payload):
            return Cut(count)
        count += 1
        total += size
    if count in (0, rules.size) or ending or waited >= rules.window:
        return Cut(count)
    return Cut(0, wait=rules.window - waited)


def batch_rules(pipe: Pipe) -> BatchRules:
    """Return the rules that source, enrichment and target give the batches of a pipe."""
    kind = source_kind(pipe)
    members = pipe.source_parameters.get(kind.parameters, {})
    payload = target_kind(pipe).payload_limit(pipe)
    if enriching := to_enrichment(pipe):
        payload = min(payload, target_kind(enriching).payload_limit(enriching))
    return BatchRules(
        size=members.get("BatchSize", kind.default_batch_size),
        window=members.get("MaximumBatchingWindowInSeconds", 0),
        payload=payload,
    )
