"""What an error of an AWS call means: the records' failure, or the service's fault."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.errors import AnswerTooLargeError


def client_error(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "why"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Invoke")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://localhost:1"),
        ConnectTimeoutError(endpoint_url="http://localhost:1"),
        ReadTimeoutError(endpoint_url="http://localhost:1"),
        client_error("TooManyRequestsException", 429),
        client_error("ThrottlingException", 400),
        client_error("AWS.SimpleQueueService.RequestThrottled", 400),
        client_error("ServiceException", 500),
        client_error("EC2ThrottledException", 502),
        client_error("Unknown", 503),
        client_error("ExpiredToken", 403),
        client_error("ExpiredTokenException", 400),
        client_error("UnrecognizedClientException", 400),
        client_error("InvalidClientTokenId", 403),
        client_error("InvalidAccessKeyId", 403),
        client_error("InvalidSignatureException", 403),
        client_error("SignatureDoesNotMatch", 403),
        client_error("IncompleteSignature", 400),
        client_error("MissingAuthenticationToken", 403),
        client_error("MissingAuthenticationTokenException", 403),
        client_error("AWS.SimpleQueueService.RequestExpired", 400),
        NoCredentialsError(),
        CredentialRetrievalError(provider="sso", error_msg="expired"),
    ],
)
def test_no_answer_throttling_5xx_and_bad_credentials_are_service_faults(
    error: Exception,
) -> None:
    assert errors.is_service_error(error)


@pytest.mark.parametrize(
    "error",
    [
        client_error("ResourceNotFoundException", 404),
        client_error("AccessDeniedException", 403),
        client_error("RequestTooLargeException", 413),
        client_error("InvalidRequestContentException", 400),
        ParamValidationError(report="a key without characters"),
        AnswerTooLargeError(limit=5),
    ],
)
def test_other_errors_are_of_the_callers_making(error: Exception) -> None:
    assert not errors.is_service_error(error)


def test_an_error_is_told_in_one_line() -> None:
    assert errors.summary(client_error("Code", 400)) == "Code: why"
    shown = errors.summary(EndpointConnectionError(endpoint_url="http://localhost:1"))
    assert "http://localhost:1" in shown
