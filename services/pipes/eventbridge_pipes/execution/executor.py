"""The executions of a pipe. Each is one attempt: enrich the records, and bring them to the target.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from eventbridge_pipes.outcome import (
    SUCCEEDED,
    EnrichedError,
    FailedCall,
    Outcome,
    all_failed,
    events_of,
    of_answer,
)
from eventbridge_pipes.path import TooLargeError
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets import target_kind
from eventbridge_pipes.targets.target import Answer, BatchKind, Message, Send, payload
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry, PipeTelemetry, Stage, Step
from eventbridge_pipes.template import Context, Template
from eventbridge_pipes.template_warning import TemplateWarning, warning_lines


class _Call(NamedTuple):
    """What is called in a stage: with messages that `template` makes, of at most `limit` events."""

    stage: Stage
    send: Send
    template: Template | None
    warn: Callable[[Iterable[TemplateWarning]], None]
    limit: int | None = None


@dataclass
class Executor:
    """Makes the executions of a pipe. All threads that deliver for the pipe share it."""

    pipe: Pipe
    target: Send
    enrichment: Send | None
    telemetry: PipeTelemetry
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self._error_logged = False
        self._warned: set[tuple[Stage, str]] = set()
        self._lock = threading.Lock()
        kind, template = target_kind(self.pipe), _template(self.pipe.target_parameters)
        warn = partial(self._warn, Stage.TARGET, not isinstance(kind, BatchKind))
        self._calls = [_Call(Stage.TARGET, self.target, template, warn, kind.batch_limit)]
        if self.enrichment:
            template = _template(self.pipe.enrichment_parameters)
            warn = partial(self._warn, Stage.ENRICHMENT, True)
            self._calls.insert(0, _Call(Stage.ENRICHMENT, self.enrichment, template, warn))
        for call in self._calls:
            if call.template:
                call.warn(call.template.warnings)

    def execute(self, records: Sequence[Record]) -> Outcome:
        """Make one attempt and return the outcome of `records`. A retry enriches them again.

        An unexpected exception is a service error, which does not count as an attempt.
        """
        telemetry = self.telemetry.execution(records)
        try:
            execution = _Execution(records, Context(self.pipe, self.now()), telemetry)
            outcome = execution.run(self._calls)
            self._error_logged = False
        except Exception as error:
            reason = f"an error in the Pipes service: {type(error).__name__}: {error}"
            outcome = all_failed(records, reason, service_error=True)
            if not self._error_logged:
                self._error_logged = True
                log = self.telemetry.log
                log.exception("an execution failed unexpectedly; the pipe retries it")
        telemetry.ended(outcome)
        return outcome

    def _warn(self, stage: Stage, needs_json: bool, warnings: Iterable[TemplateWarning]) -> None:
        """Log and show each kind of warning once, while the pipe runs."""
        with self._lock:
            new = [warning for warning in warnings if (stage, warning.kind) not in self._warned]
            self._warned |= {(stage, warning.kind) for warning in new}
        for kind, text in warning_lines(new, stage.lower(), needs_json).items():
            self.telemetry.warn(kind, text)


class _Execution(NamedTuple):
    """One attempt to bring `records` to the target."""

    records: Sequence[Record]
    context: Context
    telemetry: ExecutionTelemetry

    def run(self, calls: Sequence[_Call]) -> Outcome:
        """Return the outcome of the records. With no events there is no call."""
        outcome, events = SUCCEEDED, self.records
        for call in calls:
            if not events:
                self.telemetry.step(call.stage, Step.STAGE_SKIPPED)
                break
            outcome, events = self._stage(call, events)
            if outcome.failed:
                break
        return outcome

    def _stage(self, call: _Call, events: Sequence[Record]) -> tuple[Outcome, Sequence[Record]]:
        """Return the outcome of the records, and the events that an enrichment answers with."""
        step = partial(self.telemetry.step, call.stage)

        def failed(outcome: Outcome, *steps: Step) -> tuple[Outcome, Sequence[Record]]:
            for each in steps:
                step(each, error=outcome.error or FailedCall("pipes", outcome.reason))
            return outcome, ()

        step(Step.STAGE_ENTERED)
        try:
            messages = self._messages(call, events)
        except TooLargeError as error:
            too_large = all_failed(self.records, str(error))
            return failed(too_large, Step.TRANSFORMATION_FAILED, Step.STAGE_FAILED)
        if call.limit is not None and len(events) > call.limit:
            step(Step.INVOCATION_SKIPPED)
            reason = f"the enrichment returned {len(events)} events; the target takes {call.limit}"
            return failed(all_failed(self.records, reason), Step.STAGE_FAILED)
        step(Step.INVOCATION_STARTED)
        outcome, enriched = self._read(call.send(messages, self.telemetry), call.stage, events)
        if not outcome.failed:
            sent = messages if enriched is None else _untransformed(enriched)
            step(Step.INVOCATION_SUCCEEDED)
            step(Step.STAGE_SUCCEEDED, lambda: payload(sent))
            return outcome, enriched or ()
        if len(outcome.failed) < len(self.records):
            return failed(outcome, Step.INVOCATION_PARTIALLY_FAILED, Step.STAGE_PARTIALLY_FAILED)
        return failed(outcome, Step.INVOCATION_FAILED, Step.STAGE_FAILED)

    def _messages(self, call: _Call, events: Sequence[Record]) -> list[Message]:
        """Return a message for each event. Raises TooLargeError."""
        template = call.template
        if template is None:
            return _untransformed(events)
        self.telemetry.step(call.stage, Step.TRANSFORMATION_STARTED)
        texts, warnings = template.render_all(events, self.context)
        call.warn(warnings)
        messages = [
            Message(event, text, template.is_json)
            for event, text in zip(events, texts, strict=True)
        ]
        self.telemetry.step(call.stage, Step.TRANSFORMATION_SUCCEEDED, lambda: payload(messages))
        return messages

    def _read(
        self, answer: Answer, stage: Stage, events: Sequence[Record]
    ) -> tuple[Outcome, Sequence[Record] | None]:
        """Return the outcome of the records, and the events that an enrichment answers with."""
        if isinstance(answer, Outcome):
            if answer.failed and (stage is Stage.ENRICHMENT or events is not self.records):
                # Nobody knows which record an event of an enrichment is of: all fail.
                answer = replace(answer, failed=frozenset(range(len(self.records))))
            return answer, None
        if stage is Stage.TARGET:
            return of_answer(answer, self.records), None
        try:
            return SUCCEEDED, events_of(answer)
        except EnrichedError as error:
            return all_failed(self.records, str(error)), None


def _untransformed(events: Sequence[Record]) -> list[Message]:
    return [Message(event, event.body) for event in events]


def _template(parameters: Mapping[str, Any]) -> Template | None:
    text = parameters.get("InputTemplate")
    return Template.parse(text) if text else None
