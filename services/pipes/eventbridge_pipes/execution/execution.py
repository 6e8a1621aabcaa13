"""One attempt to bring records to the target: enrich, transform, deliver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from eventbridge_pipes.execution.enrichment import EnrichedError, events_of
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, Outcome, all_failed, of_answer
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets import target_kind
from eventbridge_pipes.targets.target import Message, Send, payload
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry, PipeTelemetry, Stage, Step
from eventbridge_pipes.template import Context, Template, TooLargeError


class Route:
    """The way of records through a pipe. All threads that deliver for a pipe share it."""

    def __init__(
        self,
        pipe: Pipe,
        target: Send,
        enrichment: Send | None,
        telemetry: PipeTelemetry,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._pipe = pipe
        self._target = target
        self._target_template = _template(pipe.target_parameters)
        self._limit = target_kind(pipe).batch_limit
        self._enrichment = enrichment
        self._enrichment_template = _template(pipe.enrichment_parameters)
        self._telemetry = telemetry
        self._now = now
        self._log = PipeLog(pipe.name)
        self._error_logged = False

    def carry(self, records: Sequence[Record]) -> Outcome:
        """Make one attempt and return the outcome of `records`. A retry enriches them again.

        An unexpected exception counts as a service error: no record is charged with it.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
        """
        execution = self._telemetry.execution(records)
        try:
            outcome = self._attempt(records, execution)
            self._error_logged = False
        except Exception as error:
            reason = f"an error in the Pipes service: {type(error).__name__}: {error}"
            outcome = all_failed(records, reason, service_error=True)
            if not self._error_logged:
                self._error_logged = True
                self._log.exception("an execution failed unexpectedly; the pipe retries it")
        execution.ended(outcome)
        return outcome

    def _attempt(self, records: Sequence[Record], execution: ExecutionTelemetry) -> Outcome:
        context = Context(self._pipe, self._now())
        events = records
        if self._enrichment:
            enriched = self._enrich(self._enrichment, records, context, execution)
            if isinstance(enriched, Outcome):
                return _of_all(enriched, records)
            events = enriched
        return self._deliver(events, records, context, execution)

    def _enrich(
        self,
        enrichment: Send,
        records: Sequence[Record],
        context: Context,
        execution: ExecutionTelemetry,
    ) -> Sequence[Record] | Outcome:
        """Return the events that the enrichment answers with."""
        stage = Stage.ENRICHMENT
        execution.step(stage, Step.STAGE_ENTERED)
        messages = _transform(stage, self._enrichment_template, records, context, execution)
        if isinstance(messages, Outcome):
            return messages
        execution.step(stage, Step.INVOCATION_STARTED)
        answer = enrichment(messages, execution)
        if isinstance(answer, bytes):
            try:
                events = events_of(answer)
            except EnrichedError as error:
                answer = all_failed(records, str(error))
            else:
                execution.step(stage, Step.INVOCATION_SUCCEEDED)
                execution.step(stage, Step.STAGE_SUCCEEDED, lambda: _text(_unchanged(events)))
                return events
        _log_failure(execution, stage, answer, Step.INVOCATION_FAILED, Step.STAGE_FAILED)
        return answer

    def _deliver(
        self,
        events: Sequence[Record],
        records: Sequence[Record],
        context: Context,
        execution: ExecutionTelemetry,
    ) -> Outcome:
        """Send `events`, which `records` became, to the target.

        With no events, or more than the target accepts at once, it is not invoked.
        """
        stage = Stage.TARGET
        if not events:
            execution.step(stage, Step.STAGE_SKIPPED)
            return SUCCEEDED
        execution.step(stage, Step.STAGE_ENTERED)
        messages = _transform(stage, self._target_template, events, context, execution)
        if isinstance(messages, Outcome):
            return _of_all(messages, records)
        if self._limit is not None and len(events) > self._limit:
            execution.step(stage, Step.INVOCATION_SKIPPED)
            count = len(events)
            reason = f"the enrichment returned {count} events; the target takes {self._limit}"
            too_many = all_failed(records, reason)
            _log_failure(execution, stage, too_many, Step.STAGE_FAILED)
            return too_many
        execution.step(stage, Step.INVOCATION_STARTED)
        answer = self._target(messages, execution)
        if isinstance(answer, bytes):
            answer = of_answer(answer, records)
        elif events is not records:
            answer = _of_all(answer, records)
        if not answer.failed:
            execution.step(stage, Step.INVOCATION_SUCCEEDED)
            execution.step(stage, Step.STAGE_SUCCEEDED, lambda: _text(messages))
        elif len(answer.failed) < len(records):
            partial = (Step.INVOCATION_PARTIALLY_FAILED, Step.STAGE_PARTIALLY_FAILED)
            _log_failure(execution, stage, answer, *partial)
        else:
            _log_failure(execution, stage, answer, Step.INVOCATION_FAILED, Step.STAGE_FAILED)
        return answer


def _transform(
    stage: Stage,
    template: Template | None,
    events: Sequence[Record],
    context: Context,
    execution: ExecutionTelemetry,
) -> list[Message] | Outcome:
    """Return a message for each event, or a failed attempt when they get too large."""
    if template is None:
        return _unchanged(events)
    execution.step(stage, Step.TRANSFORMATION_STARTED)
    try:
        texts = template.render_all(events, context)
    except TooLargeError as error:
        too_large = all_failed(events, str(error))
        _log_failure(execution, stage, too_large, Step.TRANSFORMATION_FAILED, Step.STAGE_FAILED)
        return too_large
    messages = [
        Message(event, text, template.is_json) for event, text in zip(events, texts, strict=True)
    ]
    execution.step(stage, Step.TRANSFORMATION_SUCCEEDED, lambda: _text(messages))
    return messages


def _log_failure(
    execution: ExecutionTelemetry, stage: Stage, outcome: Outcome, *steps: Step
) -> None:
    for step in steps:
        execution.step(stage, step, error=outcome.error or FailedCall("pipes", outcome.reason))


def _template(parameters: Mapping[str, Any]) -> Template | None:
    text = parameters.get("InputTemplate")
    return Template.parse(text) if text else None


def _unchanged(records: Sequence[Record]) -> list[Message]:
    return [Message(record, record.body) for record in records]


def _text(messages: Sequence[Message]) -> str:
    return payload(messages).decode()


def _of_all(outcome: Outcome, records: Sequence[Record]) -> Outcome:
    """Of the events of an enrichment nobody knows which record they are of: all fail, or none."""
    return replace(outcome, failed=frozenset(range(len(records)))) if outcome.failed else outcome
