"""The way of records through a pipe: enrichment, if it has one, and target."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from eventbridge_pipes.execution.stages import EnrichmentStage, TargetStage
from eventbridge_pipes.outcome import Failed, Fault, Outcome, all_failed
from eventbridge_pipes.record import Record
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry, PipeTelemetry


class Route:
    """Carries records to the target, one attempt a call. All who deliver for a pipe share it."""

    def __init__(
        self,
        enrichment: EnrichmentStage | None,
        target: TargetStage,
        telemetry: PipeTelemetry,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._enrichment = enrichment
        self._target = target
        self._telemetry = telemetry
        self._now = now

    def carry(self, records: Sequence[Record]) -> Outcome:
        """What became of `records`. Those that are sent again are enriched again.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
        """
        with self._telemetry.execution(records) as execution:
            outcome = self._attempt(records, execution)
            execution.ended(outcome)
        return outcome

    def _attempt(self, records: Sequence[Record], execution: ExecutionTelemetry) -> Outcome:
        now = self._now()
        events = records
        if self._enrichment:
            enriched = self._enrichment.run(events, execution, now)
            match enriched:
                case Failed():
                    return all_failed(records, enriched.reason, enriched.error)
                case Fault():
                    return Fault(enriched.reason, enriched.error)
            events = enriched
        return self._target.run(events, records, execution, now)
