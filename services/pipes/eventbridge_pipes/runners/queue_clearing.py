"""Clearing messages away: deleting what is done with, releasing what was received too late."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.runners.queue_rules import CALL_LIMIT
from eventbridge_pipes.sources.queue import Message, Queue, Refusal
from eventbridge_pipes.sources.source import SourceError

TRIES = 4


class Clearing:
    """Deletes and releases for one pipe. What cannot be done is logged: the queue outlives it."""

    def __init__(
        self, queue: Queue, log: PipeLog, wait: Callable[[float], object] = time.sleep
    ) -> None:
        self._queue = queue
        self._log = log
        self._wait = wait

    def delete(self, messages: Sequence[Message]) -> None:
        left = self._clear(self._queue.delete, messages)
        self._tell(
            [r for r in left if r.stale],
            "came into view again before being deleted, and may be delivered twice",
        )
        self._tell(
            [r for r in left if not r.stale],
            "not deleted, to be delivered again",
        )

    def release(self, messages: Sequence[Message]) -> None:
        left = self._clear(self._queue.release, messages)
        self._tell(
            [r for r in left if not r.stale],
            "not given back, to stay hidden until the visibility timeout ends",
        )

    def _clear(
        self, act: Callable[[Sequence[Message]], list[Refusal]], messages: Sequence[Message]
    ) -> list[Refusal]:
        """What is left after some tries, and what has become stale."""
        stale: list[Refusal] = []
        for tries in range(1, TRIES + 1):
            refusals = _in_calls(act, messages)
            stale += [refusal for refusal in refusals if refusal.stale]
            refused = [refusal for refusal in refusals if not refusal.stale]
            if not refused or tries == TRIES:
                break
            messages = [refusal.message for refusal in refused]
            self._wait(growing_pause(tries))
        return stale + refused

    def _tell(self, left: Sequence[Refusal], what: str) -> None:
        if left:
            count = "1 message" if len(left) == 1 else f"{len(left)} messages"
            self._log.warning("%s %s: %s", count, what, left[0].reason)


def _in_calls(
    act: Callable[[Sequence[Message]], list[Refusal]], messages: Sequence[Message]
) -> list[Refusal]:
    """Ten messages a call; a call that fails is the last one of this try."""
    refusals: list[Refusal] = []
    for start in range(0, len(messages), CALL_LIMIT):
        try:
            refusals += act(messages[start : start + CALL_LIMIT])
        except SourceError as error:
            return refusals + [Refusal(m, str(error), stale=False) for m in messages[start:]]
    return refusals
