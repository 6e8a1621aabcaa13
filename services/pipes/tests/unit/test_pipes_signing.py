"""The headers of a request, signed."""

from __future__ import annotations

from typing import Any

from botocore.credentials import ReadOnlyCredentials

from eventbridge_pipes.aws.signing import Signer


def signer(**changes: Any) -> Signer:
    arguments: dict[str, Any] = {
        "url": "https://kinesis.us-east-1.amazonaws.com",
        "region": "us-east-1",
        "service": "kinesis",
        "credentials": lambda: ReadOnlyCredentials("key", "secret", None),
    }
    return Signer(**arguments | changes)


def test_what_the_service_goes_by_is_signed() -> None:
    given = {"X-Amz-Target": "Kinesis_20131202.GetRecords", "Content-Type": "application/json"}
    headers = signer().headers(given, b"{}")
    assert headers["X-Amz-Target"] == "Kinesis_20131202.GetRecords"
    assert headers["Content-Type"] == "application/json"
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-target" in headers["Authorization"]
    assert "/us-east-1/kinesis/aws4_request" in headers["Authorization"]


def test_each_request_has_the_credentials_of_its_moment() -> None:
    issued = iter([ReadOnlyCredentials("old", "s", "t"), ReadOnlyCredentials("new", "s", None)])
    used = signer(credentials=lambda: next(issued))
    first, second = (used.headers({}, b"") for _ in range(2))
    assert "Credential=old/" in first["Authorization"]
    assert first["X-Amz-Security-Token"] == "t"
    assert "Credential=new/" in second["Authorization"]
    assert "X-Amz-Security-Token" not in second
