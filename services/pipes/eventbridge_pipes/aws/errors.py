"""Errors of AWS calls: whose fault they are, and how they are told."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)

CallError = (ClientError, BotoCoreError)


class AnswerTooLargeError(HTTPClientError):
    """The body of an answer is larger than `limit` bytes; the rest of it was not read."""

    fmt = "the answer is larger than {limit} bytes"


_THROTTLING = {
    "EC2ThrottledException",
    "ExecutionLimitExceeded",
    "KMSThrottling",
    "KMSThrottlingException",
    "KmsThrottled",
    "KmsThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}


def code_of(error: BaseException) -> str:
    """AWS's error code; empty when there was no answer."""
    return error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""


def message_of(error: BaseException) -> str:
    """AWS's message, or what went wrong with the connection."""
    return (
        error.response["Error"].get("Message", "") if isinstance(error, ClientError) else str(error)
    )


def status_of(error: BaseException) -> int:
    """The HTTP status; 0 when there was no answer."""
    if not isinstance(error, ClientError):
        return 0
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def request_id_of(error: BaseException) -> str:
    """The service's id of the request; empty when there was no answer."""
    if not isinstance(error, ClientError):
        return ""
    return error.response.get("ResponseMetadata", {}).get("RequestId", "")


def is_throttling_code(code: str) -> bool:
    # SQS gives some codes with the prefix of its old protocol: AWS.SimpleQueueService.….
    return code.rpartition(".")[2] in _THROTTLING


def is_throttling(error: BaseException) -> bool:
    return is_throttling_code(code_of(error)) or status_of(error) == 429


def is_timeout(error: BaseException) -> bool:
    """Whether the request was sent, and no answer came in time."""
    return isinstance(error, ReadTimeoutError)


def is_service_fault(error: BaseException) -> bool:
    """Whether the service did not carry the call out: no answer, throttled, or a 5xx."""
    if isinstance(error, ParamValidationError):
        return False
    return not isinstance(error, ClientError) or is_throttling(error) or status_of(error) >= 500


def describe(error: BaseException) -> str:
    """One line: the code and AWS's message, or what went wrong with the connection."""
    if isinstance(error, ClientError):
        return f"{code_of(error)}: {message_of(error)}"
    return message_of(error)
