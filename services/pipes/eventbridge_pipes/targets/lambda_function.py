"""A Lambda function as target and as enrichment."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_ASYNC_PAYLOAD_BYTES = 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

# The function is being created or updated: that takes seconds, and no record is at fault.
_NOT_READY = {
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SnapStartNotReadyException",
}


def payload_limit(waits: bool) -> int:
    """Return the bytes that an invocation may carry; `waits`: for its answer."""
    return target.PAYLOAD_LIMIT if waits else _ASYNC_PAYLOAD_BYTES


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """The function that is the target of `pipe`."""
    return partial(invoke, clients, pipe.target, KIND.waits(pipe))


def invoke(
    clients: Clients,
    arn: str,
    waits: bool,
    messages: target.Messages,
    execution: ExecutionTelemetry,
) -> target.Answer:
    """Invoke the function once with the array of all messages.

    If it `waits`, it returns the function's answer, else nothing: Lambda has queued the
    invocation. `arn` may end in a version or an alias.
    """
    body = target.payload(messages)
    limit = payload_limit(waits)
    if len(body) > limit:
        reason = f"a payload of {len(body)} bytes is over the limit of {limit}"
        return all_failed(messages, reason)
    how = "RequestResponse" if waits else "Event"
    request: Any = {"FunctionName": arn, "InvocationType": how}
    if execution.shows_calls:
        execution.request({**request, "Payload": body.decode()})
    try:
        answer: Any = clients.invoker.invoke(**request, Payload=body)
        returned = answer["Payload"].read()
    except errors.CallError as error:
        not_ready = errors.code_of(error) in _NOT_READY
        return target.invocation_failed("lambda", error, messages, waits, not_ready)
    if execution.shows_calls:
        members = ("StatusCode", "FunctionError")
        shown: Any = {name: answer[name] for name in members if name in answer}
        execution.response({**shown, "Payload": returned.decode(errors="replace")})
    if answer.get("FunctionError"):
        return _function_error(messages, answer, returned)
    return returned if waits else b""


def _function_error(messages: target.Messages, answer: Any, returned: bytes) -> Outcome:
    """The function, and not Lambda, ended with an error."""
    try:
        described = json.loads(returned)
        code, message = str(described["errorType"]), str(described["errorMessage"])
    except (ValueError, TypeError, KeyError, RecursionError):
        code, message = answer["FunctionError"], returned.decode(errors="replace")
    error = target.reported_error("lambda", code, message, answer)
    return all_failed(messages, f"function error: {code}: {message[:200]}", error)


KIND = target.TargetKind(
    service="lambda",
    resource="function:[^:]*(:[^:]*)?",  # with a version or an alias
    label="a Lambda function",
    noun="function",
    parameters="LambdaFunctionParameters",
    connect=connect,
    describe=lambda clients, arn: clients.lambda_.get_function_configuration(FunctionName=arn.text),
    payload_limit=payload_limit,
)
