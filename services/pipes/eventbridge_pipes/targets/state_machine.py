"""A Step Functions state machine as target and as enrichment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_INPUT_BYTES = 262_144
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """One execution is started, with the array of all messages as its input.

    Only an Express workflow can be waited for. The ARN may end in a version or an alias.
    """
    client, waits = clients.stepfunctions, KIND.waits(pipe)
    start = client.start_sync_execution if waits else client.start_execution

    def call(body: bytes, sent: target.Messages, execution: ExecutionTelemetry) -> target.Answer:
        request = {"stateMachineArn": pipe.target, "input": body.decode()}
        answer = target.call_service("states", start, request, execution)
        if not waits:
            return b""
        if not isinstance(answer.get("status"), str):
            raise target.UnreadableAnswerError(service="states", member="status")
        if answer["status"] != "SUCCEEDED":
            return _unsuccessful(sent, answer)
        return (answer.get("output") or "").encode()

    return target.InvokedTarget(KIND, pipe, call, input_name="an input").send


def _unsuccessful(messages: target.Messages, answer: Mapping[str, Any]) -> Outcome:
    """An execution that ended FAILED or TIMED_OUT."""
    status, cause = answer["status"], answer.get("cause") or ""
    code = answer.get("error") or status
    error = target.reported_error("states", code, cause, answer)
    error = replace(error, timed_out=status == "TIMED_OUT")
    return all_failed(messages, f"the execution ended {status}: {code}: {cause[:200]}", error)


def describe(clients: Clients, arn: Arn) -> str:
    """Return the type of the state machine: STANDARD or EXPRESS."""
    # Without a version or an alias: an alias cannot be described like this.
    machine = ":".join(arn.text.split(":")[:7])
    return clients.stepfunctions.describe_state_machine(stateMachineArn=machine)["type"]


KIND = target.TargetKind(
    service="states",
    resource="stateMachine:[^:]*(:[^:]*)?",  # with a version or an alias
    label="a Step Functions state machine",
    noun="state machine",
    parameters="StepFunctionStateMachineParameters",
    connect=connect,
    describe=describe,
    payload_limit=lambda pipe: _INPUT_BYTES,
    enrichment_label="a Step Functions Express state machine",
)
