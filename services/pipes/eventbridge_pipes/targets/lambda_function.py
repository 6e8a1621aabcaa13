"""A Lambda function as target and as enrichment."""

from __future__ import annotations

import json
from typing import Any

from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_ASYNC_PAYLOAD_BYTES = 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

# The function is being created or updated: that takes seconds, and no record is at fault.
_NOT_READY = frozenset(
    {"ResourceConflictException", "ResourceNotReadyException", "SnapStartNotReadyException"}
)


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """The function is invoked with the array of all messages.

    Unless it is waited for, Lambda queues the invocation. Its ARN may end in a version or an alias.
    """
    waits = KIND.waits(pipe)
    how = "RequestResponse" if waits else "Event"
    request: Any = {"FunctionName": pipe.target, "InvocationType": how}

    def call(body: bytes, sent: target.Messages, execution: ExecutionTelemetry) -> target.Answer:
        if execution.shows_calls:
            execution.request({**request, "Payload": body.decode()})
        answer: Any = clients.invoker.invoke(**request, Payload=body)
        returned = answer["Payload"].read()
        if execution.shows_calls:
            members = ("StatusCode", "FunctionError")
            shown: Any = {name: answer[name] for name in members if name in answer}
            execution.response({**shown, "Payload": returned.decode(errors="replace")})
        if answer.get("FunctionError"):
            return _function_error(sent, answer, returned)
        return returned if waits else b""

    return target.InvokedTarget(KIND, pipe, call, not_ready=_NOT_READY).send


def _function_error(messages: target.Messages, answer: Any, returned: bytes) -> Outcome:
    """The function, and not Lambda, ended with an error."""
    try:
        described = json.loads(returned)
        code, message = str(described["errorType"]), str(described["errorMessage"])
    except (ValueError, TypeError, KeyError, RecursionError):
        code, message = answer["FunctionError"], returned.decode(errors="replace")
    error = target.reported_error("lambda", code, message, answer)
    return all_failed(messages, f"function error: {code}: {message[:200]}", error)


def _payload_limit(pipe: Pipe) -> int:
    return target.PAYLOAD_LIMIT if KIND.waits(pipe) else _ASYNC_PAYLOAD_BYTES


KIND = target.TargetKind(
    service="lambda",
    resource="function:[^:]*(:[^:]*)?",  # with a version or an alias
    label="a Lambda function",
    noun="function",
    parameters="LambdaFunctionParameters",
    connect=connect,
    describe=lambda clients, arn: clients.lambda_.get_function_configuration(FunctionName=arn.text),
    payload_limit=_payload_limit,
    enrichment_label="a Lambda function",
)
