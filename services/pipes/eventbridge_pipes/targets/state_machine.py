"""A Step Functions state machine as target and as enrichment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.outcome import Failed, Fault, Succeeded, all_failed
from eventbridge_pipes.targets.calling import make, not_carried_out
from eventbridge_pipes.targets.limits import STATE_MACHINE_INPUT
from eventbridge_pipes.targets.refusals import answered
from eventbridge_pipes.targets.target import Calls, Message, Returned, payload

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StateMachine:
    """Gets the array of all messages as the input of one execution."""

    def __init__(self, client: SFNClient, arn: str) -> None:
        """`arn` may end in a version or an alias."""
        self._client = client
        self._arn = arn

    def call(self, messages: Sequence[Message], calls: Calls) -> Returned | Failed | Fault:
        """Run it to its end, which takes an Express workflow; its output is what it returned."""
        answer = self._start(self._client.start_sync_execution, messages, calls, waits=True)
        if isinstance(answer, (Failed, Fault)):
            return answer
        if answer["status"] != "SUCCEEDED":
            return _unsuccessful(messages, answer)
        return Returned((answer.get("output") or "").encode())

    def start(self, messages: Sequence[Message], calls: Calls) -> Succeeded | Failed | Fault:
        answer = self._start(self._client.start_execution, messages, calls, waits=False)
        return answer if isinstance(answer, (Failed, Fault)) else Succeeded()

    def _start(
        self, start: Callable[..., Any], messages: Sequence[Message], calls: Calls, waits: bool
    ) -> Mapping[str, Any] | Failed | Fault:
        body = payload(messages)
        if len(body) > STATE_MACHINE_INPUT:
            reason = f"an input of {len(body)} bytes is over the limit of {STATE_MACHINE_INPUT}"
            return all_failed(messages, reason)
        request = {"stateMachineArn": self._arn, "input": body.decode()}
        try:
            answer: Mapping[str, Any] = make(start, request, calls)
        except errors.CallError as error:
            return not_carried_out(error, "states", messages, waits)
        return answer


def _unsuccessful(messages: Sequence[Message], answer: Mapping[str, Any]) -> Failed:
    """An execution that ended FAILED or TIMED_OUT."""
    status, cause = answer["status"], answer.get("cause") or ""
    code = answer.get("error") or status
    error = answered("states", code, cause, answer, timed_out=status == "TIMED_OUT")
    return all_failed(messages, f"the execution ended {status}: {code}: {cause[:200]}", error)
