"""Errors of AWS calls: whose fault they are, and how they are described."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ParamValidationError,
)

CallError = (ClientError, BotoCoreError)

_NAMED_THROTTLING = re.compile(
    r"(EC2|KMS|Kms|Request)Throttl(ed|ing)(Exception)?|Throttling(Exception)?|ThrottledException"
)
_THROTTLING = {
    "ExecutionLimitExceeded",
    "LimitExceededException",
    "OverLimit",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
_CREDENTIALS = {
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
}
"""AWS does not accept who calls. That says nothing about what the call is for. Some services
put Exception behind these codes."""

_ABSENT = {
    "NonExistentQueue",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
}


class AnswerTooLargeError(HTTPClientError):
    """The body of an answer is larger than this service reads; see `http.MAX_ANSWER_BYTES`."""

    fmt = "The answer is larger than {limit} bytes"


def code_of(error: BaseException) -> str:
    """AWS's error code; empty when there was no answer."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def message_of(error: BaseException) -> str:
    """AWS's message, or what went wrong with the connection."""
    return str(_response(error).get("Error", {"Message": error}).get("Message", ""))


def status_of(error: BaseException) -> int:
    """The HTTP status; 0 when there was no answer."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _response(error: BaseException) -> Any:
    return error.response if isinstance(error, ClientError) else {}


def is_throttling_code(code: str) -> bool:
    name = without_prefix(code)
    return name in _THROTTLING or _NAMED_THROTTLING.fullmatch(name) is not None


def is_throttling(error: BaseException) -> bool:
    return is_throttling_code(code_of(error)) or status_of(error) == 429


def is_absent(error: BaseException) -> bool:
    """Whether what the call is for does not exist."""
    return without_prefix(code_of(error)) in _ABSENT


def is_service_error(error: BaseException) -> bool:
    """Whether neither the records nor the pipe's definition are to blame for a failed call.

    There was no answer, the call was throttled, the status is a 5xx, or there are no credentials
    that AWS accepts.
    """
    if isinstance(error, ClientError):
        refused = without_prefix(code_of(error)).removesuffix("Exception") in _CREDENTIALS
        return refused or is_throttling(error) or status_of(error) >= 500
    return not isinstance(error, (ParamValidationError, AnswerTooLargeError))


def without_prefix(code: str) -> str:
    """SQS gives some codes with the prefix of its old protocol: AWS.SimpleQueueService.…."""
    return code.rpartition(".")[2]


def summary(error: BaseException) -> str:
    """One line: the code and AWS's message, or what went wrong with the connection."""
    if isinstance(error, ClientError):
        return f"{code_of(error)}: {message_of(error)}"
    return message_of(error)
