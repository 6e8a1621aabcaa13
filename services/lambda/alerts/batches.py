"""One batch, of the queue or of the table's stream: counted by cause, ticks carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from alerts.cause import Cause, Occurrence, together
from alerts.crossings import Thresholds, crossings
from alerts.limiter import Limiter
from alerts.queue import Tick, sent_at

Log: TypeAlias = Callable[..., object]
Read: TypeAlias = Callable[[str, float], Tick | Occurrence | None]


def handle_messages(records: Sequence[Any], read: Read, limiter: Limiter, log: Log) -> list[str]:
    """Handle a batch of the queue; the message ids of those that are to come again.

    A message that nobody of ours wrote is logged and dropped: it would come again for ever.
    """
    occurrences: dict[Cause, list[tuple[str, Occurrence]]] = {}
    ticks: list[tuple[str, Tick]] = []
    for record in records:
        message_id = record["messageId"]
        match read(record["body"], sent_at(record)):
            case Tick() as tick:
                ticks.append((message_id, tick))
            case Occurrence() as occurrence:
                occurrences.setdefault(occurrence.cause, []).append((message_id, occurrence))
            case None:
                log("unknown message dropped", message_id=message_id, body=record["body"][:200])
    failed: list[str] = []
    for cause, found in occurrences.items():
        waiting = together([occurrence for _, occurrence in found])
        if not _done(partial(limiter.count, cause, waiting), log, cause):
            failed += [message_id for message_id, _ in found]
    for message_id, tick in ticks:
        if not _done(partial(limiter.tick, tick.cause, tick.at), log, tick.cause):
            failed.append(message_id)
    return failed


def handle_changes(
    records: Iterable[Any], thresholds: Thresholds, limiter: Callable[[], Limiter]
) -> None:
    """Count the crossings of a batch of the table's stream.

    Raises whatever calls raise: then the batch comes again. `limiter` is asked for when there is
    something to count, which in most batches there is not.
    """
    found: dict[Cause, list[Occurrence]] = {}
    for record in records:
        for occurrence in crossings(record, thresholds):
            found.setdefault(occurrence.cause, []).append(occurrence)
    for cause, occurrences in found.items():
        limiter().count(cause, together(occurrences))


def _done(act: Callable[[], object], log: Log, cause: Cause) -> bool:
    try:
        act()
    except (ClientError, BotoCoreError) as error:
        log("alert not sent, will be retried", cause=cause.key, error=str(error)[:500])
        return False
    return True
