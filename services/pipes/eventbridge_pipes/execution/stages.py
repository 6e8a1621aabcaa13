"""The two stages of an execution: enrichment and target, each behind its transformation."""

from __future__ import annotations

from collections.abc import Sequence

from eventbridge_pipes.execution.enriched import EnrichedError, events_of
from eventbridge_pipes.execution.transformation import Transformation, unchanged
from eventbridge_pipes.outcome import (
    Failed,
    Fault,
    Outcome,
    Succeeded,
    all_failed,
    error_of,
    failed_positions,
    of_answer,
)
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets.target import (
    Answer,
    Enrichment,
    Message,
    Returned,
    Target,
    payload,
)
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry, Stage, Step


class EnrichmentStage:
    """Exchanges the events for those that the enrichment answers with."""

    def __init__(
        self, enrichment: Enrichment, transformation: Transformation | None = None
    ) -> None:
        self._enrichment = enrichment
        self._transformation = transformation

    def run(
        self, events: Sequence[Record], execution: ExecutionTelemetry, now: float
    ) -> list[Record] | Failed | Fault:
        """`now` is when the records count as taken in (epoch seconds)."""
        execution.step(Stage.ENRICHMENT, Step.STAGE_ENTERED)
        messages = _transformed(Stage.ENRICHMENT, events, self._transformation, execution, now)
        execution.step(Stage.ENRICHMENT, Step.INVOCATION_STARTED)
        answer = self._enrichment.call(messages, execution)
        if isinstance(answer, Returned):
            try:
                enriched = events_of(answer.body)
            except EnrichedError as error:
                answer = all_failed(events, str(error))
            else:
                execution.step(Stage.ENRICHMENT, Step.INVOCATION_SUCCEEDED)
                execution.step(
                    Stage.ENRICHMENT, Step.STAGE_SUCCEEDED, lambda: _text(unchanged(enriched))
                )
                return enriched
        wrong = error_of(answer)
        execution.step(Stage.ENRICHMENT, Step.INVOCATION_FAILED, error=wrong)
        execution.step(Stage.ENRICHMENT, Step.STAGE_FAILED, error=wrong)
        return answer


class TargetStage:
    """Hands the events to the target. `limit` is how many it takes at once, None for any number."""

    def __init__(
        self,
        target: Target,
        transformation: Transformation | None = None,
        limit: int | None = None,
    ) -> None:
        self._target = target
        self._transformation = transformation
        self._limit = limit

    def run(
        self,
        events: Sequence[Record],
        records: Sequence[Record],
        execution: ExecutionTelemetry,
        now: float,
    ) -> Outcome:
        """What became of `records`, which `events` were made of.

        With no events, or more than the target takes at once, it is not invoked.
        """
        if not events:
            execution.step(Stage.TARGET, Step.STAGE_SKIPPED)
            return Succeeded()
        execution.step(Stage.TARGET, Step.STAGE_ENTERED)
        messages = _transformed(Stage.TARGET, events, self._transformation, execution, now)
        if self._limit is not None and len(events) > self._limit:
            execution.step(Stage.TARGET, Step.INVOCATION_SKIPPED)
            reason = f"the enrichment returned {len(events)} events; the target takes {self._limit}"
            too_many = all_failed(records, reason)
            execution.step(Stage.TARGET, Step.STAGE_FAILED, error=error_of(too_many))
            return too_many
        execution.step(Stage.TARGET, Step.INVOCATION_STARTED)
        answer = self._target.send(messages, execution)
        outcome = _outcome(answer, records, enriched=events is not records)
        _tell(outcome, messages, len(records), execution)
        return outcome


def _outcome(answer: Answer, records: Sequence[Record], enriched: bool) -> Outcome:
    """Which of the events of an enrichment stands for which record nobody knows: all or none."""
    match answer:
        case Returned(body=body):
            return of_answer(body, records)
        case Failed() if enriched:
            return all_failed(records, answer.reason, answer.error)
        case Fault() if enriched:
            return Fault(answer.reason, answer.error)
    return answer


def _tell(
    outcome: Outcome, messages: Sequence[Message], count: int, execution: ExecutionTelemetry
) -> None:
    if isinstance(outcome, Succeeded):
        execution.step(Stage.TARGET, Step.INVOCATION_SUCCEEDED)
        execution.step(Stage.TARGET, Step.STAGE_SUCCEEDED, lambda: _text(messages))
        return
    wrong = error_of(outcome)
    if len(failed_positions(outcome, count)) < count:
        execution.step(Stage.TARGET, Step.INVOCATION_PARTIALLY_FAILED, error=wrong)
        execution.step(Stage.TARGET, Step.STAGE_PARTIALLY_FAILED, error=wrong)
    else:
        execution.step(Stage.TARGET, Step.INVOCATION_FAILED, error=wrong)
        execution.step(Stage.TARGET, Step.STAGE_FAILED, error=wrong)


def _transformed(
    stage: Stage,
    events: Sequence[Record],
    transformation: Transformation | None,
    execution: ExecutionTelemetry,
    now: float,
) -> list[Message]:
    if transformation is None:
        return unchanged(events)
    execution.step(stage, Step.TRANSFORMATION_STARTED)
    messages = transformation.apply(events, now)
    execution.step(stage, Step.TRANSFORMATION_SUCCEEDED, lambda: _text(messages))
    return messages


def _text(messages: Sequence[Message]) -> str:
    return payload(messages).decode()
