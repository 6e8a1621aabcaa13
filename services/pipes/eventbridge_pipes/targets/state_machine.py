"""A Step Functions state machine as target and as enrichment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

INPUT_BYTES = 262_144
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """The state machine that is the target of `pipe`."""
    return partial(invoke, clients, pipe.target, KIND.waits(pipe))


def invoke(
    clients: Clients,
    arn: str,
    waits: bool,
    messages: target.Messages,
    execution: ExecutionTelemetry,
) -> target.Answer:
    """Start one execution with the array of all messages as its input.

    If it `waits`, it returns the output. Only an Express workflow can be waited for. `arn` may
    end in a version or an alias.
    """
    body = target.payload(messages)
    if len(body) > INPUT_BYTES:
        reason = f"an input of {len(body)} bytes is over the limit of {INPUT_BYTES}"
        return all_failed(messages, reason)
    client = clients.stepfunctions
    start = client.start_sync_execution if waits else client.start_execution
    request = {"stateMachineArn": arn, "input": body.decode()}
    try:
        answer = target.call_service("states", start, request, execution)
        if waits and not isinstance(answer.get("status"), str):
            raise target.UnreadableAnswerError(service="states", member="status")
    except errors.CallError as error:
        return target.invocation_failed("states", error, messages, waits)
    if waits and answer["status"] != "SUCCEEDED":
        return _unsuccessful(messages, answer)
    return (answer.get("output") or "").encode() if waits else b""


def _unsuccessful(messages: target.Messages, answer: Mapping[str, Any]) -> Outcome:
    """An execution that ended FAILED or TIMED_OUT."""
    status, cause = answer["status"], answer.get("cause") or ""
    code = answer.get("error") or status
    error = target.reported_error("states", code, cause, answer, timed_out=status == "TIMED_OUT")
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
    payload_limit=lambda waits: INPUT_BYTES,
)
