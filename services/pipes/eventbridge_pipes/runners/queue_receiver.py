"""Receives from a queue, for as long as the pipe runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.queue_clearing import Clearing
from eventbridge_pipes.runners.queue_inbox import Inbox
from eventbridge_pipes.runners.queue_rules import visibility_for
from eventbridge_pipes.sources.queue import Message, Queue
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.telemetry.metrics import PipeTelemetry

WAIT_SECONDS = 20
"""How long a receive waits for a first message: AWS's longest."""

LOCKED_PAUSE = 0.25
"""How long to wait for a batch of a FIFO queue to end, when there are no messages beside it.

The rest may be of the same groups, which the queue locks until then; emulators may be slow to
tell a receive that waits of it. Another group's first message waits for no longer than this.
"""

LONGEST_IDLE_PAUSE = 1.0


class Filter(Protocol):
    """See `events.filters.Filter`; false when it lets everything pass."""

    def __bool__(self) -> bool: ...

    def passes(self, record: Record) -> bool: ...


class Receiver:
    """Fills the inbox with what passes the filter, and has the rest deleted.

    A receive cannot be called off. One that ends after the pipe was stopped gives what it brought
    back to the queue at once; the queue counts it as a receive all the same.
    """

    def __init__(
        self,
        queue: Queue,
        inbox: Inbox,
        clearing: Clearing,
        filter_: Filter,
        window: float,
        telemetry: PipeTelemetry,
        stop: threading.Event,
        log: PipeLog,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._inbox = inbox
        self._clearing = clearing
        self._filter = filter_
        self._window = window
        self._telemetry = telemetry
        self._stop = stop
        self._log = log
        self._monotonic = monotonic
        self._visibility: int | None = None
        self._visibility_known = window == 0
        self._failures = 0
        self._quick_ends = 0

    def run(self) -> None:
        """Until the pipe stops; whatever fails is tried again."""
        while count := self._inbox.wanted():
            ended, in_hand = self._inbox.progress()
            locked = self._queue.ordered and in_hand
            began = self._monotonic()
            try:
                messages = self._receive(count, wait=0 if locked else WAIT_SECONDS)
            except SourceError as error:
                self._after_failure(error)
                continue
            self._after_success()
            self._take_in(messages)
            if locked and not messages:
                self._inbox.wait_for_end(ended, LOCKED_PAUSE)
            elif not messages:
                self._after_nothing(self._monotonic() - began)

    def _receive(self, count: int, wait: int) -> list[Message]:
        if not self._visibility_known:
            self._learn_visibility()
        return self._queue.receive(count, wait, self._visibility)

    def _learn_visibility(self) -> None:
        timeout = self._queue.visibility_timeout()
        self._visibility = visibility_for(timeout, self._window)
        self._visibility_known = True
        if self._visibility is not None:
            self._log.warning(
                "the queue's visibility timeout (%d s) is short for a batching window of %g s: "
                "receiving with %d s",
                timeout,
                self._window,
                self._visibility,
            )

    def _take_in(self, messages: Sequence[Message]) -> None:
        kept = self._filtered(messages)
        if not self._inbox.put(kept):
            self._clearing.release(messages)
            return
        self._telemetry.read(len(messages))
        if len(kept) < len(messages):
            self._telemetry.filtered(len(messages) - len(kept))
            due = {message.receipt for message in kept}
            self._clearing.delete([m for m in messages if m.receipt not in due])

    def _filtered(self, messages: Sequence[Message]) -> Sequence[Message]:
        if not self._filter:
            return messages
        return [message for message in messages if self._filter.passes(message.record)]

    def _after_failure(self, error: SourceError) -> None:
        self._failures += 1
        # It may be another queue that is there next.
        self._visibility_known = self._window == 0
        if self._failures == 1:
            self._log.warning("cannot receive from the queue, retrying: %s", error)
        self._stop.wait(growing_pause(self._failures))

    def _after_success(self) -> None:
        if self._failures:
            self._log.info("receiving from the queue again")
        self._failures = 0

    def _after_nothing(self, took: float) -> None:
        """Be content with less when the queue does not wait for messages as it was asked to."""
        self._quick_ends = self._quick_ends + 1 if took < 1.0 else 0
        if self._quick_ends:
            self._stop.wait(min(LONGEST_IDLE_PAUSE, growing_pause(self._quick_ends)))
