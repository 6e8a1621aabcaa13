"""Why AWS lets nobody in, and who may not do what."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from provisioner import Failure, ProvisioningError
from provisioner.access import access_problem, denied_action


def answer(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStream")


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_are_told_from_wrong_ones(code: str) -> None:
    assert "have expired" in str(access_problem(answer(code)))


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_a_region_that_is_not_enabled_answers_as_if_the_credentials_were_unknown(code: str) -> None:
    line = str(access_problem(answer(code), "ap-east-1"))

    assert "does not know these credentials in ap-east-1" in line
    assert "or the account has not enabled that Region" in line


def test_a_session_that_is_over_says_how_to_begin_another() -> None:
    line = str(access_problem(SSOTokenLoadError(error_msg="Token\nhas expired")))

    assert "\n" not in line
    assert "`aws sso login`" in line


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://sts.eu-wst-1.amazonaws.com/", " There is eu-west-1."),
        ("https://sts.cn-nort-1.amazonaws.com.cn/", " There is cn-north-1."),
        ("https://sts.eu-west-1.amazonaws.com/", " It is a Region: the network may"),
        ("https://sts.zzz.amazonaws.com/", "?"),
    ],
)
def test_a_region_where_nothing_answers_is_told_with_one_that_is_like_it(
    url: str, hint: str
) -> None:
    line = str(access_problem(EndpointConnectionError(endpoint_url=url)))

    assert line.startswith(f"nothing answers for the Region {url.split('.')[1]}: ")
    assert hint in line


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


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (
            answer(
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/x is not authorized to perform: kinesis:CreateStream "
                "on resource: arn:aws:kinesis:eu-west-1:1:stream/s because no identity-based "
                "policy allows the kinesis:CreateStream action",
            ),
            "kinesis:CreateStream",
        ),
        (
            answer("AuthorizationError", "User: x is not authorized to perform: SNS:CreateTopic"),
            "SNS:CreateTopic",
        ),
        (answer("AccessDenied", "no"), "CreateStream"),
        (answer("ThrottlingException", "not authorized to perform: a:B"), None),
        (ValueError("not authorized to perform: a:B"), None),
    ],
)
def test_the_action_that_is_denied_is_the_one_that_aws_names(
    error: Exception, action: str | None
) -> None:
    assert denied_action(error) == action


def test_reasons_are_said_once_and_all_that_is_denied_in_one_line() -> None:
    denied = [
        Failure.of(f"table {n}", answer("AccessDenied", f"perform: dynamodb:{n}"))
        for n in ("B", "A", "A")
    ]
    others = [Failure("queue q", "it is not ours"), Failure("queue r", "it is not ours")]

    error = ProvisioningError("planning", [], [*denied, *others])

    assert error.reasons() == [
        "you may not dynamodb:A, dynamodb:B",
        "queue q, queue r: it is not ours",
    ]
