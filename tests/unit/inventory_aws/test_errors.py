"""The line of an error: why AWS lets nobody in, and everything else."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from inventory_aws.errors import access_problem, explain


def answer(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStream")


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"]
)
def test_rejected_credentials_are_named_with_the_reason_of_aws(code: str) -> None:
    assert access_problem(answer(code, "The token\nis expired")) == (
        "AWS does not accept these credentials in this Region. Get new ones, such as with "
        f"`aws sso login`, or check AWS_DEFAULT_REGION. {code}: The token is expired"
    )


def test_a_session_that_has_ended_is_one_line() -> None:
    line = str(access_problem(SSOTokenLoadError(error_msg="Token\nhas expired")))

    assert line.startswith("The AWS credentials cannot be used. ")
    assert "\n" not in line


@pytest.mark.parametrize(
    "error",
    [
        answer("ThrottlingException"),
        answer("AccessDenied", "no"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ValueError("other"),
    ],
)
def test_nothing_else_is_taken_for_a_problem_of_access(error: Exception) -> None:
    assert access_problem(error) is None


def test_a_refusal_of_aws_is_one_printable_line() -> None:
    error = answer("AccessDenied", "no\n\x1b[31mway")

    assert explain(error) == "CreateStream: AccessDenied: no  [31mway"
    assert "does not accept these credentials" in explain(answer("ExpiredToken"))


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    assert "http://127.0.0.1:1" in explain(
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    )
