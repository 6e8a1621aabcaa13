"""A damaged response of DynamoDB is an error."""

from __future__ import annotations

import zlib

import pytest
from botocore.exceptions import HTTPClientError

from inventory_aws.transient_errors import is_transient
from processor.store import refuse_damaged


def take(body: bytes, checksum: str | None = None, status: int = 200) -> None:
    headers = {} if checksum is None else {"x-amz-crc32": checksum}
    refuse_damaged(response_dict={"status_code": status, "headers": headers, "body": body})


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"Responses"', b"[]", b"null", b"\xff"])
def test_a_response_that_is_no_json_object_is_a_transient_error(body: bytes) -> None:
    with pytest.raises(HTTPClientError, match="damaged") as refused:
        take(body)
    assert is_transient(refused.value)


def test_a_response_with_a_wrong_checksum_is_an_error() -> None:
    with pytest.raises(HTTPClientError, match="damaged"):
        take(b'{"a": 2}', str(zlib.crc32(b'{"a": 1}')))


@pytest.mark.parametrize("checksum", [str(zlib.crc32(b"{}")), None], ids=["checked", "unchecked"])
def test_an_undamaged_response_is_accepted(checksum: str | None) -> None:
    take(b"{}", checksum)


def test_the_sdk_handles_error_responses() -> None:
    take(b"<html>Bad Gateway</html>", status=502)
