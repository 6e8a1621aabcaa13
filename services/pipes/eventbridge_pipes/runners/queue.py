"""A running pipe whose source is a queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.execution.delivery import Carrier
from eventbridge_pipes.execution.retry import worth_telling
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import Fault, Outcome, Succeeded, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.runners.queue_clearing import Clearing
from eventbridge_pipes.runners.queue_inbox import Inbox
from eventbridge_pipes.runners.queue_receiver import Filter, Receiver
from eventbridge_pipes.runners.queue_rules import settled
from eventbridge_pipes.sources.queue import Message, Queue
from eventbridge_pipes.telemetry.watch import Watch


class QueueSupervisor:
    """A thread that receives, one that sends batches on their way, and one for each of these.

    The queue keeps the position, as it were: what is not deleted comes into view again, and goes
    to the queue's own dead-letter queue in the end. So the pipe itself repeats nothing.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """

    def __init__(
        self, pipe: Pipe, queue: Queue, route: Carrier, filter_: Filter, watch: Watch
    ) -> None:
        self._pipe = pipe
        self._ordered = queue.ordered
        self._route = route
        self._watch = watch
        self._log = PipeLog(pipe.name)
        self._stopping = threading.Event()
        rules = batch_rules(pipe)
        self._inbox = Inbox(rules, queue.ordered)
        self._clearing = Clearing(queue, self._log)
        self._receiver = Receiver(
            queue,
            self._inbox,
            self._clearing,
            filter_,
            rules.window,
            watch,
            self._stopping,
            self._log,
        )
        self._failures = 0
        self._receiving = self._thread("receive", self._receive)
        self._dispatching = self._thread("pipe", self._run)

    def start(self) -> None:
        self._dispatching.start()
        self._receiving.start()

    def stop(self) -> None:
        """Ask the pipe to stop: batches that are at the target are the last. Returns at once."""
        self._stopping.set()
        self._inbox.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Whether all work has ended within `timeout` seconds; a receive may still be waiting."""
        self._dispatching.join(timeout)
        return not self._dispatching.is_alive()

    def _thread(self, task: str, run: Callable[..., None], *arguments: Any) -> threading.Thread:
        return threading.Thread(
            target=run, args=arguments, name=f"{task} {self._pipe.name}", daemon=True
        )

    def _receive(self) -> None:
        while not self._stopping.is_set():
            try:
                self._receiver.run()
            except Exception:
                self._log.exception("receiving failed, retrying")
                self._stopping.wait(1.0)

    def _run(self) -> None:
        self._log.info("started: %s to %s", self._pipe.source, self._pipe.target)
        self._watch.shard_begun("", self._lag)
        while batch := self._inbox.take():
            try:
                self._thread("deliver", self._deliver, batch).start()
            except RuntimeError:
                # There are no threads left to be had: the pipe goes on, one batch at a time.
                self._deliver(batch)
        self._clearing.release(self._inbox.empty_out())
        self._inbox.wait_until_finished()
        self._watch.shard_ended("")
        self._log.info("stopped")

    def _deliver(self, batch: list[Message]) -> None:
        outcome = self._outcome(batch)
        done, failed = settled(batch, outcome, self._ordered)
        try:
            self._tell(outcome, len(failed), len(batch))
            self._clearing.delete(done)
        except Exception:
            self._log.exception("deleting a batch failed")
        self._inbox.finished(batch, failed, fault=isinstance(outcome, Fault))

    def _outcome(self, batch: list[Message]) -> Outcome:
        try:
            return self._route.carry([message.record for message in batch])
        except Exception:
            self._log.exception("delivering a batch failed")
            return all_failed(batch, "an error in this service")

    def _tell(self, outcome: Outcome, failed: int, of: int) -> None:
        """Log a failure after a success, then every second one, every fourth one, and so on."""
        if isinstance(outcome, Succeeded):
            self._failures = 0
            return
        self._failures += 1
        if worth_telling(self._failures):
            kind = "target unavailable" if isinstance(outcome, Fault) else "failed"
            self._log.warning(
                "%d of %d messages stay in the queue until their visibility timeout ends (%s: %s)",
                failed,
                of,
                kind,
                outcome.reason,
            )

    def _lag(self) -> float:
        """Seconds since the oldest message in hand was sent."""
        oldest = self._inbox.oldest_arrival()
        return max(0.0, time.time() - oldest) if oldest is not None else 0.0
