"""Answers that are cut off in their head, which the SDK takes for whole and empty ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import HTTPClientError

_WITHOUT_BODY = (204, 304)


def refuse_cut_off(**event: Any) -> None:
    """Handles botocore's `before-parse` event. Raises HTTPClientError for such an answer."""
    answer: Mapping[str, Any] = event["response_dict"]
    refuse_cut_off_head(answer["status_code"], answer["headers"])


def refuse_cut_off_head(status: int, headers: Mapping[str, str]) -> None:
    """Raises HTTPClientError when the head of an answer has lost its end.

    To Python's HTTP client a head also ends where the connection does. What is left may be a
    success without content, and that says of a function and of a queue that no record failed. An
    answer that does not tell where its body ends, by its length, in chunks or with the connection,
    has lost the line that did.
    https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    framed = headers.get("content-length") or headers.get("transfer-encoding")
    closing = "close" in headers.get("connection", "").lower()
    if not framed and not closing and status not in _WITHOUT_BODY:
        raise HTTPClientError(error="the head of the answer is cut off")
