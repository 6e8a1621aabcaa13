"""A running pipe whose source is a queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventbridge_pipes.backoff import growing_pause, should_log
from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import Outcome
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.inbox import Inbox, settled
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.sources.sqs import NotDeleted, SqsQueue, visibility_for
from eventbridge_pipes.telemetry.metrics import PipeTelemetry

WAIT_SECONDS = 3
"""How long a receive waits for a first message.

SQS allows 20 seconds. But a receive cannot be called off, and whoever stops or deletes the pipe
waits for its end. The more frequent calls cost little beside an emulator: for each idle queue
about 0.05 % of a core in MiniStack and 0.02 % here.
"""

LOCKED_PAUSE = 0.25
"""How long to wait for a batch of a FIFO queue to end, when no other messages can be received.

The queue locks the groups of that batch until then, and an emulator may not notice the end of the
lock while a receive waits. Another group's first message waits no longer than this.
"""

LONGEST_IDLE_PAUSE = 1.0

DELETE_TRIES = 4


@dataclass(eq=False)
class QueueRunner:
    """Runs a pipe: one thread receives, one sends batches off, and each batch has its own.

    The queue keeps the progress. A message that is not deleted becomes visible again, and goes to
    the queue's own dead-letter queue in the end. So the pipe itself retries no batch.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """

    pipe: Pipe
    queue: SqsQueue
    execute: Callable[[Sequence[Record]], Outcome]
    filter: Filter
    telemetry: PipeTelemetry
    _thread: threading.Thread | None = field(default=None, init=False)
    _visibility: int | None = field(default=None, init=False)
    _visibility_known: bool = field(default=False, init=False)
    _early_returns: int = field(default=0, init=False)
    _failed_batches: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._log = PipeLog(self.pipe.arn)
        self._rules = batch_rules(self.pipe)
        self._inbox = Inbox(self._rules, self.queue.ordered)

    def start(self) -> None:
        """Start the pipe's threads.

        Raises RuntimeError if the system has no thread left. Nothing runs then, and you can call
        this again.
        """
        dispatching = self._new_thread("dispatch", self._dispatch)
        receiving = self._new_thread("pipe", self._run, dispatching)
        dispatching.start()
        try:
            receiving.start()
        except RuntimeError:
            self._inbox.close()
            dispatching.join()
            self._inbox = Inbox(self._rules, self.queue.ordered)
            raise
        self._thread = receiving

    def stop(self) -> None:
        """Ask the pipe to stop, and return at once.

        A receive that is waiting is the last one. What it brings is delivered: the queue counts it
        as received, and may not give it a second time.
        """
        self._inbox.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Return whether all of the pipe's threads have ended within `timeout` seconds."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _new_thread(self, task: str, run: Callable[..., None], *arguments: Any) -> threading.Thread:
        name = f"{task} {self.pipe.name}"
        return threading.Thread(target=run, args=arguments, name=name, daemon=True)

    def _run(self, dispatching: threading.Thread) -> None:
        self._log.info("started: %s to %s", self.pipe.source, self.pipe.target)
        self.telemetry.shard_begun("", self._lag)
        self._receive_until_stopped()
        self._inbox.close()
        dispatching.join()
        self._inbox.wait_until_finished()
        self.queue.close()
        self.telemetry.shard_ended("")
        self._log.info("stopped")

    def _receive_until_stopped(self) -> None:
        failures = 0
        while count := self._inbox.wanted():
            try:
                self._receive(count)
            except Exception as error:
                failures += 1
                expected = isinstance(error, SourceError)
                if failures == 1 or not expected:
                    self._log.warning(
                        "cannot receive from the queue, retrying: %s", error, exc_info=not expected
                    )
                self._visibility_known = False  # the next queue of this name may have another one
                self._inbox.hold(growing_pause(failures))
            else:
                if failures:
                    self._log.info("receiving from the queue again")
                failures = 0

    def _receive(self, count: int) -> None:
        ended = self._inbox.ended
        locked = self.queue.ordered and self._inbox.holds_any()
        if self._rules.window and not self._visibility_known:
            self._learn_visibility()
        began = time.monotonic()
        records = self.queue.receive(count, 0 if locked else WAIT_SECONDS, self._visibility)
        self._take_in(records)
        if records:
            self._early_returns = 0
        elif locked:
            self._inbox.wait_for_end(ended, LOCKED_PAUSE)
        elif time.monotonic() - began < 1.0:
            # The queue does not wait for messages as it was asked to.
            self._early_returns += 1
            self._inbox.hold(min(LONGEST_IDLE_PAUSE, growing_pause(self._early_returns)))

    def _learn_visibility(self) -> None:
        timeout = self.queue.visibility_timeout()
        self._visibility = visibility_for(timeout, self._rules.window)
        if self._visibility is not None:
            self._log.warning(
                "the queue's visibility timeout (%d s) is short for a batching window of %g s: "
                "receiving with %d s",
                timeout,
                self._rules.window,
                self._visibility,
            )
        self._visibility_known = True

    def _take_in(self, records: Sequence[Record]) -> None:
        """Put what passes the filter into the inbox, and delete the rest."""
        filtered = [record for record in records if not self.filter.passes(record)]
        self._inbox.put([record for record in records if record not in filtered])
        if records:
            self.telemetry.read(len(records))
        if filtered:
            self.telemetry.filtered(len(filtered))
            self._delete(filtered)

    def _dispatch(self) -> None:
        while batch := self._inbox.take():
            try:
                self._new_thread("deliver", self._deliver, batch).start()
            except RuntimeError:
                # The system has no thread left: the pipe goes on, one batch at a time.
                self._deliver(batch)

    def _deliver(self, batch: list[Record]) -> None:
        failed, service_error = batch, True
        try:
            outcome = self.execute(batch)
            done, failed = settled(batch, outcome, self.queue.ordered)
            service_error = outcome.service_error
            self._log_failure(outcome, len(failed), len(batch))
            self._delete(done)
        except Exception:
            self._log.exception("delivering a batch failed, retrying what stays in the queue")
        finally:
            self._inbox.finished(batch, failed, service_error)

    def _log_failure(self, outcome: Outcome, failed: int, of: int) -> None:
        if not outcome.failed:
            self._failed_batches = 0
            return
        self._failed_batches += 1
        if should_log(self._failed_batches):
            self._log.warning(
                "%d of %d messages stay in the queue until their visibility timeout ends (%s: %s)",
                failed,
                of,
                "target unavailable" if outcome.service_error else "failed",
                outcome.reason,
            )

    def _delete(self, records: Sequence[Record]) -> None:
        """Delete messages in some tries, and log those that stay: the queue gives them again."""
        expired: list[NotDeleted] = []
        for tries in range(1, DELETE_TRIES + 1):
            left = self.queue.delete(records)
            expired += [message for message in left if message.expired]
            left = [message for message in left if not message.expired]
            if not left or tries == DELETE_TRIES:
                break
            records = [message.record for message in left]
            time.sleep(growing_pause(tries))
        again = "came into view again before being deleted, and may be delivered twice"
        for messages, what in ((expired, again), (left, "not deleted, to be delivered again")):
            if messages:
                count = "1 message" if len(messages) == 1 else f"{len(messages)} messages"
                self._log.warning("%s %s: %s", count, what, messages[0].reason)

    def _lag(self) -> float:
        """Seconds since the oldest message that the pipe holds was sent."""
        oldest = self._inbox.oldest_arrival()
        return max(0.0, time.time() - oldest) if oldest is not None else 0.0
