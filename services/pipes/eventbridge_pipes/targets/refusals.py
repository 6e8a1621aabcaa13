"""What AWS calls refuse, and what their errors mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.outcome import CallError

_INTERNAL = {"InternalError", "InternalException", "InternalFailure", "ServiceUnavailable"}


@dataclass(frozen=True)
class Refusal:
    """Why something was not taken. With `fault`, the service is at fault, and not what was sent."""

    reason: str
    error: CallError | None = None
    fault: bool = False


def refusal_of(error: BaseException, service: str) -> Refusal:
    """What an error of a call means. `service` is its endpoint prefix, such as lambda."""
    return Refusal(errors.describe(error), _told(error, service), errors.is_service_fault(error))


def of_failed(service: str, answer: Mapping[str, Any]) -> dict[int, Refusal]:
    """The failed entries of a batch call of SQS or SNS, by their ids, which are numbers."""
    return {
        int(entry["Id"]): _of_entry(
            service, entry["Code"], entry.get("Message"), answer, not entry["SenderFault"]
        )
        for entry in answer.get("Failed") or ()
    }


def of_results(
    service: str, answer: Mapping[str, Any], results: Sequence[Mapping[str, Any]]
) -> dict[int, Refusal]:
    """The results of `answer` that have an error, by their place, as of Kinesis and EventBridge."""
    return {
        place: _of_entry(service, code, result.get("ErrorMessage"), answer, code in _INTERNAL)
        for place, result in enumerate(results)
        if (code := result.get("ErrorCode"))
    }


def _of_entry(
    service: str, code: str, message: str | None, answer: Mapping[str, Any], fault: bool
) -> Refusal:
    error = answered(service, code, message or "", answer)
    return Refusal(f"{code}: {error.message}", error, fault or error.throttled)


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
        throttled=errors.is_throttling_code(code),
        timed_out=timed_out,
    )


def _told(error: BaseException, service: str) -> CallError:
    return CallError(
        service,
        errors.message_of(error),
        status=errors.status_of(error),
        details=errors.code_of(error),
        request_id=errors.request_id_of(error),
        throttled=errors.is_throttling(error),
        timed_out=errors.is_timeout(error),
    )
