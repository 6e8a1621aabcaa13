"""Signatures are compared with botocore's own."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.wire.signing import Signer

text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def signer(**changes: Any) -> Signer:
    arguments: dict[str, Any] = {
        "host": "kinesis.us-east-1.amazonaws.com",
        "path": "/",
        "region": "us-east-1",
        "service": "kinesis",
        "credentials": lambda: ReadOnlyCredentials("key", "secret", None),
        "now": lambda: 1_700_000_000.0,
    }
    return Signer(**arguments | changes)


def signed_by_botocore(
    headers: dict[str, str], url: str, body: bytes, credentials: ReadOnlyCredentials, region: str
) -> str:
    """The Authorization header for the headers of a request, at the time that they name."""
    keys: Any = credentials
    auth: Any = SigV4Auth(keys, "kinesis", region)
    request: Any = AWSRequest("POST", url, headers=headers, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signature = auth.signature(
        auth.string_to_sign(request, auth.canonical_request(request)), request
    )
    names = auth.signed_headers(auth.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
        f"SignedHeaders={names}, Signature={signature}"
    )


@given(
    body=st.binary(max_size=200),
    secret=text,
    token=st.none() | text,
    region=st.sampled_from(["us-east-1", "eu-central-1"]),
    path=st.sampled_from(["/", "/aws", "/a b/c~d"]),
    now=st.integers(0, 4_000_000_000),
)
def test_the_signature_is_that_of_botocore(
    body: bytes, secret: str, token: str | None, region: str, path: str, now: int
) -> None:
    credentials = ReadOnlyCredentials("AKIAEXAMPLE", secret, token)
    ours = signer(
        host="localhost:4566",
        path=path,
        region=region,
        credentials=lambda: credentials,
        now=lambda: float(now),
    ).headers("Kinesis_20131202.GetRecords", "application/x-amz-json-1.1", body)
    authorization = ours.pop("authorization")
    assert authorization == signed_by_botocore(
        ours, f"http://localhost:4566{path}", body, credentials, region
    )


def test_each_request_has_the_credentials_and_the_time_of_its_moment() -> None:
    issued = iter([ReadOnlyCredentials("old", "s", "t"), ReadOnlyCredentials("new", "s", None)])
    times = iter([0.0, 86_400.0])
    used = signer(credentials=lambda: next(issued), now=lambda: next(times))
    first, second = (used.headers("t", "c", b"") for _ in range(2))
    assert "Credential=old/19700101/" in first["authorization"]
    assert first["x-amz-security-token"] == "t"
    assert "Credential=new/19700102/" in second["authorization"]
    assert "x-amz-security-token" not in second


def test_the_time_is_the_clocks() -> None:
    assert Signer.now is time.time


@pytest.mark.parametrize("service", ["kinesis", "dynamodb"])
def test_a_signature_is_for_one_service(service: str) -> None:
    authorization = signer(service=service).headers("t", "c", b"")["authorization"]
    assert f"/us-east-1/{service}/aws4_request" in authorization
