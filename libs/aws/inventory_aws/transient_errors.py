"""Which errors of DynamoDB and SNS pass by themselves. The function that keeps the table asks."""

from __future__ import annotations

import re

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
# https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
_CODES = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)


def is_transient(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may succeed later: throttling, a fault of the service, no connection.

    What the SDK's standard mode tries again, and no more.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or is_transient_code(code_of(error))
    return isinstance(error, ConnectionError | HTTPClientError)


def is_transient_code(code: str) -> bool:
    return code in _CODES


def code_of(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__


def reason_of(error: ClientError | BotoCoreError) -> str:
    """The code, and where the function may not do something what that is: an action of IAM's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    named = re.search(r"not authorized to perform: ([\w-]+:\w+)", str(error))
    return f"{code_of(error)}: may not {named[1]}" if named else code_of(error)
