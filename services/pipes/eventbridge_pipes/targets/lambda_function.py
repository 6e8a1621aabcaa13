"""A Lambda function as target and as enrichment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import LambdaInvoker
from eventbridge_pipes.outcome import Failed, Fault, Succeeded, all_failed
from eventbridge_pipes.targets.calling import not_carried_out
from eventbridge_pipes.targets.limits import FUNCTION_ASYNC_PAYLOAD, FUNCTION_PAYLOAD
from eventbridge_pipes.targets.refusals import answered, refusal_of
from eventbridge_pipes.targets.target import Calls, Message, Returned, payload

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_PAYLOAD_BYTES = {"RequestResponse": FUNCTION_PAYLOAD, "Event": FUNCTION_ASYNC_PAYLOAD}

# The function is being created or updated: a matter of seconds, and not of the records.
_NOT_READY = {
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SnapStartNotReadyException",
}


class Function:
    """Gets the array of all messages as the payload of one invocation."""

    def __init__(self, client: LambdaClient | LambdaInvoker, arn: str) -> None:
        """`arn` may end in a version or an alias."""
        self._client = client
        self._arn = arn

    def call(self, messages: Sequence[Message], calls: Calls) -> Returned | Failed | Fault:
        """Invoke it, and wait for what it returns."""
        return self._invoke("RequestResponse", messages, calls)

    def start(self, messages: Sequence[Message], calls: Calls) -> Succeeded | Failed | Fault:
        """Put it to Lambda's queue."""
        answer = self._invoke("Event", messages, calls)
        return Succeeded() if isinstance(answer, Returned) else answer

    def _invoke(
        self, how: str, messages: Sequence[Message], calls: Calls
    ) -> Returned | Failed | Fault:
        body = payload(messages)
        if len(body) > _PAYLOAD_BYTES[how]:
            reason = f"a payload of {len(body)} bytes is over the limit of {_PAYLOAD_BYTES[how]}"
            return all_failed(messages, reason)
        request: Any = {"FunctionName": self._arn, "InvocationType": how}
        if calls.shows_calls:
            calls.request({**request, "Payload": body.decode()})
        try:
            answer = self._client.invoke(**request, Payload=body)
            returned = answer["Payload"].read()
        except errors.CallError as error:
            return _not_invoked(error, messages, waits=how == "RequestResponse")
        if calls.shows_calls:
            told: dict[str, Any] = {
                k: v for k, v in answer.items() if k in ("StatusCode", "FunctionError")
            }
            calls.response({**told, "Payload": returned.decode(errors="replace")})
        if answer.get("FunctionError"):
            return _raised(messages, answer, returned)
        return Returned(returned)


def _not_invoked(error: BaseException, messages: Sequence[Message], waits: bool) -> Failed | Fault:
    if errors.code_of(error) in _NOT_READY:
        refusal = refusal_of(error, "lambda")
        return Fault(refusal.reason, refusal.error)
    return not_carried_out(error, "lambda", messages, waits)


def _raised(messages: Sequence[Message], answer: Any, returned: bytes) -> Failed:
    """The function, and not Lambda, ended with an error."""
    try:
        told = json.loads(returned)
        code, message = str(told["errorType"]), str(told["errorMessage"])
    except (ValueError, TypeError, KeyError):
        code, message = answer["FunctionError"], returned.decode(errors="replace")
    error = answered("lambda", code, message, answer)
    return all_failed(messages, f"function error: {code}: {message[:200]}", error)
