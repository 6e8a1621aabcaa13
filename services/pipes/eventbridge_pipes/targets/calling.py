"""Makes the calls of targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import EXECUTION_LIMIT
from eventbridge_pipes.outcome import Failed, Fault, all_failed
from eventbridge_pipes.targets.refusals import refusal_of
from eventbridge_pipes.targets.target import Calls, Message


def make(call: Callable[..., Any], parameters: Mapping[str, Any], calls: Calls) -> Any:
    """The answer of `call(**parameters)`; `calls` sees both. Raises what boto3 raises."""
    if calls.shows_calls:
        calls.request(parameters)
    answer = call(**parameters)
    if calls.shows_calls:
        calls.response({k: v for k, v in answer.items() if k != "ResponseMetadata"})
    return answer


def not_carried_out(
    error: BaseException, service: str, messages: Sequence[Message], waits: bool
) -> Failed | Fault:
    """What an error of one call with all the messages means.

    Errors of the caller's making (no such function, no permission, too large a payload) are
    failed attempts, as on AWS; those of the service are faults. When the call `waits` for the
    messages to be worked on, no answer in time is a failed attempt as well.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
    """
    refusal = refusal_of(error, service)
    if waits and errors.is_timeout(error):
        return all_failed(messages, f"no answer within {EXECUTION_LIMIT} seconds", refusal.error)
    if refusal.fault:
        return Fault(refusal.reason, refusal.error)
    return all_failed(messages, refusal.reason, refusal.error)
