"""Answers of DynamoDB that were damaged on their way, which the SDK takes for good ones."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import HTTPClientError


def refuse_damaged(**event: Any) -> None:
    """Handles botocore's `before-parse` event. Raises HTTPClientError for such an answer.

    A body that is not JSON botocore takes for an answer without content, and of a transaction that
    says that all of it was written. In its standard mode it does not look at the checksum that
    DynamoDB sends either; where there is none, the body must at least be a JSON object.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
    """
    answer: Mapping[str, Any] = event["response_dict"]
    if answer["status_code"] == 200 and not _is_whole(answer["headers"], answer["body"]):
        raise HTTPClientError(error="the answer was damaged on its way")


def _is_whole(headers: Mapping[str, str], body: bytes) -> bool:
    checksum = headers.get("x-amz-crc32")
    if checksum is not None:
        return checksum == str(zlib.crc32(body))
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
