"""The line of an error: why AWS lets nobody in, and everything else."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from inventory_aws.errors import access_problem, explain


def answer(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStream")


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_are_told_from_wrong_ones(code: str) -> None:
    assert "have expired" in str(access_problem(answer(code)))


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_a_region_that_is_not_enabled_answers_as_if_the_credentials_were_unknown(code: str) -> None:
    line = str(access_problem(answer(code)))

    assert "does not know these credentials in this Region" in line
    assert "or the account has not enabled that Region" in line


def test_a_session_that_is_over_says_how_to_begin_another() -> None:
    line = str(access_problem(SSOTokenLoadError(error_msg="Token\nhas expired")))

    assert "\n" not in line
    assert "`aws sso login`" in line


QUESTION = ": is AWS_DEFAULT_REGION right?"


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://sts.eu-wst-1.amazonaws.com/", f"{QUESTION} There is eu-west-1."),
        ("https://sts.cn-nort-1.amazonaws.com.cn/", f"{QUESTION} There is cn-north-1."),
        ("https://sts.eu-west-1.amazonaws.com/", ". The network may keep you from it."),
        ("https://sts.zzz.amazonaws.com/", QUESTION),
    ],
)
def test_a_region_where_nothing_answers_is_told_with_one_that_is_like_it(
    url: str, hint: str
) -> None:
    line = access_problem(EndpointConnectionError(endpoint_url=url))

    assert line == f"nothing answers for the Region {url.split('.')[1]}{hint}"


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
    assert "have expired" in explain(answer("ExpiredToken"))


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    assert "http://127.0.0.1:1" in explain(
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    )
