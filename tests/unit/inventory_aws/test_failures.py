from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ReadTimeoutError,
)

from inventory_aws.errors import explain_stream, is_transient
from simulated_stream import client_error

URL = "https://kinesis.example"


@pytest.mark.parametrize(
    "failure",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("KMSThrottlingException"),
        client_error("InternalFailure", 500),
        client_error("503", 503),
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
    ],
)
def test_throttling_faults_of_the_service_and_a_lost_connection_may_pass(
    failure: BotoCoreError | ClientError,
) -> None:
    assert is_transient(failure)


@pytest.mark.parametrize(
    "failure",
    [
        client_error("ResourceNotFoundException"),
        client_error("AccessDeniedException"),
        client_error("ExpiredTokenException"),
        client_error("ValidationException"),
        NoCredentialsError(),
    ],
)
def test_what_another_try_cannot_change_does_not_pass(failure: BotoCoreError | ClientError) -> None:
    assert not is_transient(failure)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (NoCredentialsError(), "No AWS credentials. Set AWS_PROFILE, or"),
        (NoRegionError(), "No AWS Region. Set AWS_DEFAULT_REGION, or a profile that has one."),
        (client_error("ResourceNotFoundException"), f"The stream orders does not exist at {URL}. "),
        (EndpointConnectionError(endpoint_url=URL), f"Cannot reach Kinesis at {URL}. Check the "),
        (ReadTimeoutError(endpoint_url=URL), f"Cannot reach Kinesis at {URL}. Check the "),
        (ProfileNotFound(profile="x"), "The call to Kinesis failed. ProfileNotFound: "),
        (
            client_error("AccessDeniedException", message="no\n\x1b[2Jway"),
            f"Kinesis at {URL} rejected a call for orders. AccessDeniedException: no \\x1b[2Jway",
        ),
    ],
)
def test_a_failure_is_explained_in_one_line(
    failure: BotoCoreError | ClientError, text: str
) -> None:
    line = explain_stream(failure, "orders", URL)
    assert line.startswith(text)
    assert line.isprintable()
