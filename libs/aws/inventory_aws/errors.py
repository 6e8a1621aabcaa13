"""Errors: which of AWS's may pass by themselves, and the line that people read of each."""

from __future__ import annotations

import re

from botocore import exceptions as aws

from inventory_aws.shown import shown

Failure = aws.BotoCoreError | aws.ClientError

# What the SDK's standard mode retries, the reasons of cancelled transactions, and of Kinesis: a
# stream that is being made is "in use" to some emulators.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_Errors
# https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
_TRANSIENT = re.compile(
    "InternalFailure(Exception)?|InternalServerError|KMSThrottlingException|LimitExceededException"
    "|ProvisionedThroughputExceeded(Exception)?|RequestLimitExceeded|RequestTimeout(Exception)?"
    "|ResourceInUseException|ServiceUnavailable|Throttl(ed|ing)(Exception)?|ThrottlingError"
    "|TooManyRequestsException|TransactionConflict|TransactionInProgressException"
)
_CREDENTIALS = re.compile(
    "AuthFailure|ExpiredToken(Exception)?|IncompleteSignature|InvalidClientTokenId|RequestExpired"
    "|SignatureDoesNotMatch|TokenRefreshRequired|Unrecognized.*"
)


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used. The message names it."""


def is_transient(error: Failure) -> bool:
    """Whether the same call may succeed later: throttling, a server error, or no connection."""
    if isinstance(error, aws.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or is_transient_code(code_of(error))
    return isinstance(error, aws.ConnectionError | aws.HTTPClientError)


def is_transient_code(code: str) -> bool:
    return _TRANSIENT.fullmatch(code) is not None


def code_of(error: Failure) -> str:
    if isinstance(error, aws.ClientError):
        return error.response.get("Error", {}).get("Code", "Unknown")
    return type(error).__name__


def message_of(error: Failure) -> str:
    if isinstance(error, aws.ClientError):
        return error.response.get("Error", {}).get("Message", "")
    return str(error)


def reason_of(error: Failure) -> str:
    """The code, with the action that IAM denied, if it did.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    denied = re.search(r"not authorized to perform: ([\w-]+:\w+)", str(error))
    return f"{code_of(error)}: may not {denied[1]}" if denied else code_of(error)


def one_line(code: str, message: str) -> str:
    """Both in one line that is safe to show: the message may be from any server."""
    return shown(" ".join(f"{code}: {message}".split()))


def explain(error: Exception) -> str:
    """The reason in one printable line."""
    text = access_problem(error) or str(error)
    if text == str(error) and isinstance(error, aws.ClientError):
        text = f"{error.operation_name}: {code_of(error)}: {message_of(error)}"
    return "".join(c if c.isprintable() else " " for c in text)


def explain_stream(error: Failure, stream: str, endpoint: str) -> str:
    """Why the stream cannot be reached, and what to do, in one line."""
    if problem := access_problem(error):
        return problem
    if code_of(error) == "ResourceNotFoundException":
        return (
            f"The stream {stream} does not exist at {endpoint}. "
            "Deploy the pipeline first, or choose another stream with --stream."
        )
    reason = one_line(code_of(error), message_of(error))
    match error:
        case aws.ConnectionError() | aws.HTTPClientError():
            return (
                f"Cannot reach Kinesis at {endpoint}. Check the network and AWS_ENDPOINT_URL. "
                f"{reason}"
            )
        case aws.ClientError():
            return f"Kinesis at {endpoint} rejected a call for {stream}. {reason}"
    return f"The call to Kinesis failed. {reason}"


def access_problem(error: Exception) -> str | None:
    """The line for an error of credentials or Region; None for any other error."""
    match error:
        case aws.NoCredentialsError():
            return (
                "No AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role provides them."
            )
        case aws.NoRegionError():
            return "No AWS Region. Set AWS_DEFAULT_REGION, or a profile that has one."
        case (
            aws.PartialCredentialsError()
            | aws.CredentialRetrievalError()
            | aws.SSOError()
            | aws.TokenRetrievalError()
        ):
            return f"The AWS credentials cannot be used. {' '.join(str(error).split())}"
        case aws.ClientError() if _CREDENTIALS.fullmatch(code_of(error)):
            reason = one_line(code_of(error), message_of(error))
            return (
                "AWS does not accept these credentials in this Region. Get new ones, such as with "
                f"`aws sso login`, or check AWS_DEFAULT_REGION. {reason}"
            )
    return None
