"""Brings one batch to its end: every record is delivered, or given up on and dead-lettered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass, replace

from eventbridge_pipes.backoff import growing_pause, should_log
from eventbridge_pipes.execution import dead_letter, retry
from eventbridge_pipes.execution.dead_letter import Condition, DeadLetterError
from eventbridge_pipes.execution.retry import RetryPolicy, Segment
from eventbridge_pipes.outcome import Outcome
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.telemetry.metrics import PipeTelemetry

Wait = Callable[[float], bool]
"""Waits so many seconds; true as soon as the pipe has to stop (`threading.Event.wait`)."""


DeadLetters = Callable[[str], None]
"""Sends a dead-letter message; raises DeadLetterError."""


@dataclass
class Delivery:
    """Delivers the batches of one shard. What to do after each attempt is `retry`'s decision.

    `execute` makes one attempt (see Executor).
    """

    pipe: Pipe
    shard_id: str
    policy: RetryPolicy
    execute: Callable[[Sequence[Record]], Outcome]
    dead_letters: DeadLetters | None
    telemetry: PipeTelemetry
    wait: Wait
    now: Callable[[], float] = time.time

    def deliver(self, batch: Sequence[Record]) -> bool:
        """Return true when every record is done with, false when the pipe stops before that."""
        todo = deque([Segment(tuple(batch))])
        retried = False
        failures_in_a_row = 0
        while todo:
            segment = todo.popleft()
            old, due = retry.split_by_age(segment.records, self.policy, self.now())
            if not self._give_up(old, batch, Condition.AGE, Condition.AGE):
                return False
            if not due:
                continue
            segment = replace(segment, records=due)
            outcome = self.execute(due)
            if not outcome.failed:
                failures_in_a_row = 0
                continue
            if not (outcome.service_error or segment.failures or segment.service_errors):
                failures_in_a_row += 1
            decision = retry.decide(segment, outcome, self.policy)
            todo.extendleft(reversed(decision.again))
            why = f"{Condition.ATTEMPTS}: {outcome.reason}"
            if not self._give_up(decision.given_up, batch, Condition.ATTEMPTS, why):
                return False
            if decision.again:
                retried = True
                self._log_retry(outcome, decision.again, whole=len(due) == len(batch))
            pause = retry.pause_before(todo[0], failures_in_a_row) if todo else 0.0
            if (decision.again or pause) and self.wait(pause):
                return False
        if retried:
            self.telemetry.log.info("batch of %s processed after retries", self._counted(batch))
        return True

    def _give_up(
        self, records: Sequence[Record], batch: Sequence[Record], condition: Condition, why: str
    ) -> bool:
        """Dead-letter or drop `records`; false when the pipe stops before that."""
        log = self.telemetry.log
        for contiguous in dead_letter.ranges(records, batch):
            first, last = contiguous[0].sequence_number, contiguous[-1].sequence_number
            named = f"{self._counted(contiguous)}, {first} to {last} ({why})"
            if not self.dead_letters:
                log.error(
                    "gave up on %s: dropped, because the pipe has no dead-letter queue", named
                )
            elif self._report(self.dead_letters, contiguous, condition):
                log.warning("gave up on %s: sent to the dead-letter queue", named)
            else:
                return False
            self.telemetry.given_up(len(contiguous), dead_lettered=bool(self.dead_letters))
        return True

    def _report(
        self, dead_letters: DeadLetters, contiguous: Sequence[Record], condition: Condition
    ) -> bool:
        """Send the message, however often it takes; false when the pipe stops before that."""
        body = dead_letter.message(contiguous, condition, self.pipe, self.shard_id, self.now())
        tries = 0
        while True:
            try:
                dead_letters(body)
                return True
            except DeadLetterError as error:
                tries += 1
                if should_log(tries):
                    log = self.telemetry.log
                    log.error("cannot send to the dead-letter queue, retrying: %s", error)
            if self.wait(growing_pause(tries)):
                return False

    def _log_retry(self, outcome: Outcome, again: Sequence[Segment], whole: bool) -> None:
        """Log why records are retried; of the steps of a bisection only the first."""
        tries = again[0].failures + again[0].service_errors
        if should_log(tries) if tries else whole:
            what = self._counted(outcome.failed)
            kind = "target unavailable" if outcome.service_error else "failed"
            self.telemetry.log.warning(
                "retrying %s (try %d %s: %s)", what, max(tries, 1), kind, outcome.reason
            )

    def _counted(self, records: Sized) -> str:
        count = "1 record" if len(records) == 1 else f"{len(records)} records"
        return f"{count} of {self.shard_id}"
