"""Makes the calls of targets, and says what their errors mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventbridge_pipes import faults
from eventbridge_pipes.clients import EXECUTION_LIMIT
from eventbridge_pipes.delivery.outcome import CallError, Failed, Fault, all_failed
from eventbridge_pipes.targets.target import Calls, Message


@dataclass(frozen=True)
class Refusal:
    """Why something was not taken. With `fault`, the service is at fault, and not what was sent."""

    reason: str
    error: CallError | None = None
    fault: bool = False


def make(call: Callable[..., Any], parameters: Mapping[str, Any], calls: Calls) -> Any:
    """The answer of `call(**parameters)`; `calls` sees both. Raises what boto3 raises."""
    if calls.wanted:
        calls.request(parameters)
    answer = call(**parameters)
    if calls.wanted:
        calls.response({k: v for k, v in answer.items() if k != "ResponseMetadata"})
    return answer


def refusal_of(error: BaseException, service: str) -> Refusal:
    """What an error of a call means. `service` is its endpoint prefix, such as lambda."""
    return Refusal(faults.describe(error), _told(error, service), faults.is_service_fault(error))


def entry_refusal(
    service: str, code: str, message: str, answer: Mapping[str, Any], fault: bool
) -> Refusal:
    """What it means that `answer`, which went well as a whole, refuses one of its entries."""
    error = answered(service, code, message, answer)
    return Refusal(f"{code}: {message}", error, fault or error.throttled)


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
    if waits and faults.is_timeout(error):
        return all_failed(messages, f"no answer within {EXECUTION_LIMIT} seconds", refusal.error)
    if refusal.fault:
        return Fault(refusal.reason, refusal.error)
    return all_failed(messages, refusal.reason, refusal.error)


def answered(
    service: str, code: str, message: str, answer: Mapping[str, Any], timed_out: bool = False
) -> CallError:
    """The error that is told in an answer whose HTTP status says that all went well."""
    metadata = answer.get("ResponseMetadata", {})
    return CallError(
        service,
        message,
        status=metadata.get("HTTPStatusCode", 0),
        details=code,
        request_id=metadata.get("RequestId", ""),
        throttled=faults.is_throttling_code(code),
        timed_out=timed_out,
    )


def _told(error: BaseException, service: str) -> CallError:
    return CallError(
        service,
        faults.message_of(error),
        status=faults.status_of(error),
        details=faults.code_of(error),
        request_id=faults.request_id_of(error),
        throttled=faults.is_throttling(error),
        timed_out=faults.is_timeout(error),
    )
