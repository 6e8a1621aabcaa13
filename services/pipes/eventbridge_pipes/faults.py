"""Errors of AWS calls: whose fault they are, and how they are told."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

CallError = (ClientError, BotoCoreError)

_THROTTLING = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}


def code_of(error: BaseException) -> str:
    """AWS's error code; empty when there was no answer."""
    return error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""


def is_throttling(error: BaseException) -> bool:
    return code_of(error) in _THROTTLING or _status_of(error) == 429


def is_service_fault(error: BaseException) -> bool:
    """Whether the service did not carry the call out: no answer, throttled, or a 5xx."""
    return not isinstance(error, ClientError) or is_throttling(error) or _status_of(error) >= 500


def describe(error: BaseException) -> str:
    """One line: the code and AWS's message, or what went wrong with the connection."""
    if isinstance(error, ClientError):
        return f"{code_of(error)}: {error.response['Error'].get('Message', '')}"
    return str(error)


def _status_of(error: BaseException) -> int:
    if not isinstance(error, ClientError):
        return 0
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
