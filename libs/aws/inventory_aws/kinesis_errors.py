"""Failed Kinesis calls: whether a retry may help, and what to tell the user."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from inventory_aws.shown import shown

Failure = BotoCoreError | ClientError

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_Errors
# and its common errors; a stream that is being made is "in use" to some emulators.
TRANSIENT_CODES = frozenset(
    {
        "InternalFailure",
        "InternalFailureException",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceInUseException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def transient(failure: Failure) -> bool:
    """Whether the same call may succeed later: throttled, a fault of the service, or no answer."""
    if isinstance(failure, ClientError):
        status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or _code(failure) in TRANSIENT_CODES
    return isinstance(failure, ConnectionError | HTTPClientError)


def code_and_message(failure: Failure) -> tuple[str, str]:
    """The error code of an answer, or the kind of failure where there was none, and its words."""
    if isinstance(failure, ClientError):
        return _code(failure), failure.response.get("Error", {}).get("Message", "")
    return type(failure).__name__, str(failure)


def one_line(code: str, message: str) -> str:
    """Both in one line, safe to show: the words may be those of any server."""
    return shown(" ".join(f"{code}: {message}".split()))


def explain(failure: Failure, stream: str, endpoint: str) -> str:
    """One line for the user: what is wrong with the way to the stream, and what to do."""
    match failure:
        case NoCredentialsError() | PartialCredentialsError():
            return (
                "No AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            )
        case NoRegionError():
            return "No AWS Region. Set AWS_DEFAULT_REGION."
        case ClientError() if _code(failure) == "ResourceNotFoundException":
            return (
                f"The stream {stream} does not exist at {endpoint}. "
                "Deploy the pipeline first, or choose another stream with --stream."
            )
        case ConnectionError() | HTTPClientError():
            return (
                f"Cannot reach Kinesis at {endpoint}. Check the network and AWS_ENDPOINT_URL. "
                f"{_words(failure)}"
            )
        case BotoCoreError():
            return f"The call to Kinesis failed. {_words(failure)}"
        case _:
            return f"Kinesis at {endpoint} rejected a call for {stream}. {_words(failure)}"


def _words(failure: Failure) -> str:
    return one_line(*code_and_message(failure))


def _code(failure: ClientError) -> str:
    return failure.response.get("Error", {}).get("Code", "Unknown")
