"""Which account and Region a request is of."""

from __future__ import annotations

import time

import pytest

from eventbridge_pipes.api.http import SignatureError, signed_scope
from eventbridge_pipes.arn import Scope

HOME = Scope("000000000000", "us-east-1")
OTHER = "111111111111"


def signature(credential: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("authorization", "emulated", "scope"),
    [
        ("", True, HOME),
        (
            signature("test/20260101/eu-west-1/pipes/aws4_request"),
            True,
            (HOME.account, "eu-west-1"),
        ),
        (signature(f"{OTHER}/20260101/eu-west-1/pipes/aws4_request"), True, (OTHER, "eu-west-1")),
        (
            signature(f"{OTHER}/20260101/eu-west-1/pipes/aws4_request"),
            False,
            (HOME.account, "eu-west-1"),
        ),
        (
            signature(f"{OTHER}1/20260101/us-gov-west-1/pipes/aws4_request"),
            True,
            (HOME.account, "us-gov-west-1"),
        ),
    ],
)
def test_the_signature_names_the_region_and_beside_an_emulator_the_account(
    authorization: str, emulated: bool, scope: tuple[str, str]
) -> None:
    assert signed_scope(authorization, HOME, emulated) == scope


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic dXNlcjpwYXNz",
        "AWS4-ECDSA-P256-SHA256 Credential=test/20260101/pipes/aws4_request, Signature=0",
        signature("test/20260101//pipes/aws4_request"),
        signature("te/st/20260101/eu-west-1/pipes/aws4_request"),
        signature("test/20260101/EU-WEST-1/pipes/aws4_request"),
        signature("test/20260101/a.b/pipes/aws4_request"),
        signature("test/20260101/eu-west-1"),
        signature("test"),
    ],
)
def test_a_signature_without_a_region_is_refused(authorization: str) -> None:
    with pytest.raises(SignatureError):
        signed_scope(authorization, HOME, True)


@pytest.mark.parametrize("part", ["Credential=", "Credential=a", "Credential=a/20260101/", "a,"])
def test_a_long_header_takes_no_long_time(part: str) -> None:
    begun = time.process_time()
    with pytest.raises(SignatureError):
        signed_scope(f"AWS4-HMAC-SHA256 {part * 20_000}", HOME, True)
    assert time.process_time() - begun < 0.5
