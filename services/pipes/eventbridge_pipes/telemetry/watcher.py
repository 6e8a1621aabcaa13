"""Watches the pipes: counts what they do, and tells it to logs and metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import CallError, Outcome, Succeeded, failed_positions
from eventbridge_pipes.record import Record
from eventbridge_pipes.telemetry.endings import ending
from eventbridge_pipes.telemetry.execution_log import ExecutionLog, LoggedExecution
from eventbridge_pipes.telemetry.tally import Concurrency, Ended, StageEnd, Tally
from eventbridge_pipes.telemetry.watch import Stage, Step

_STAGE_ENDS = frozenset(
    {Step.STAGE_SUCCEEDED, Step.STAGE_PARTIALLY_FAILED, Step.STAGE_FAILED, Step.STAGE_SKIPPED}
)


class PipeWatch:
    """See `Watch`. `execution_log` is None when the pipe has none; `clock` is in seconds."""

    def __init__(
        self,
        tally: Tally,
        concurrency: Concurrency,
        execution_log: ExecutionLog | None,
        log: PipeLog,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.tally = tally
        self.concurrency = concurrency
        self.log = log
        self.clock = clock
        self._execution_log = execution_log

    def read(self, records: Sequence[Record]) -> None:
        self.tally.read(len(records))

    def filtered(self, count: int) -> None:
        self.tally.filtered(count)

    def given_up(self, count: int, dead_lettered: bool) -> None:
        self.tally.given_up(count, dead_lettered)

    def execution(self, records: Sequence[Record]) -> PipeExecution:
        log = self._execution_log
        return PipeExecution(self, records, log.execution(records) if log else None)

    def shard_begun(self, shard_id: str, lag: Callable[[], float]) -> None:
        self.tally.shard_begun(shard_id, lag)

    def shard_ended(self, shard_id: str) -> None:
        self.tally.shard_ended(shard_id)


class PipeExecution:
    """See `Execution`."""

    def __init__(
        self, watch: PipeWatch, records: Sequence[Record], logged: LoggedExecution | None
    ) -> None:
        self._watch = watch
        self._logged = logged
        self._records = len(records)
        self._size = sum([len(record.body) for record in records])
        self._stages: list[StageEnd] = []
        self._entered: float | None = None
        self.wanted = logged is not None and logged.wanted
        watch.tally.begun()
        watch.concurrency.begun()
        self._begun = watch.clock()

    def request(self, parameters: Mapping[str, Any]) -> None:
        if self._logged:
            self._logged.request(parameters)

    def response(self, answer: Mapping[str, Any]) -> None:
        if self._logged:
            self._logged.response(answer)

    def step(
        self,
        stage: Stage,
        step: Step,
        payload: Callable[[], str] | None = None,
        error: CallError | None = None,
    ) -> None:
        if step is Step.STAGE_ENTERED:
            self._entered = self._watch.clock()
        elif step in _STAGE_ENDS:
            took = None if self._entered is None else self._watch.clock() - self._entered
            self._stages.append(StageEnd(stage, step, took))
            self._entered = None
        if self._logged:
            self._logged.step(f"{stage}{step}", payload, error)

    def ended(self, outcome: Outcome) -> None:
        took = self._watch.clock() - self._begun
        how = ending(outcome, self._records)
        failed = len(failed_positions(outcome, self._records))
        self._watch.tally.ended(Ended(how, self._records, failed, self._size, took, self._stages))
        self._watch.concurrency.ended()
        if self._logged:
            self._logged.step(f"Execution{how}", error=_error(outcome))
        if self._watch.log.isEnabledFor(logging.DEBUG):
            count, size, milliseconds = self._records, self._size, took * 1000
            self._watch.log.debug(
                "batch of %d (%d bytes): %s in %.1f ms", count, size, how, milliseconds
            )


def _error(outcome: Outcome) -> CallError | None:
    """What the log of a failed execution says: the failed call, or why there was no success."""
    if isinstance(outcome, Succeeded):
        return None
    return outcome.error or CallError(service="", message=outcome.reason)
