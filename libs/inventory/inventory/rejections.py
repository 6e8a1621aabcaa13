"""The messages of rejected events, as `failures` writes them, read again. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that the function refused, and why; `arrived_at` in seconds since the epoch.

    `payload` is what the producer put on the stream; None when the message holds only a part of it
    (`truncated`), or what the function could not decode. `code`, the reason in a word, is not in
    messages from before there were codes.
    """

    reason: str
    event_id: str | None
    product_id: str | None
    shard_id: str
    sequence_number: int
    arrived_at: float
    payload: bytes | None
    truncated: bool
    code: str | None = None


def parse_rejection(body: str) -> Rejection | None:
    """The rejection that a message's body tells of; None when it is no message of the function."""
    try:
        document = json.loads(body)
        return _rejection(document) if isinstance(document, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _rejection(message: dict[str, Any]) -> Rejection:
    truncated = bool(message["payload_truncated"])
    return Rejection(
        reason=_text(message["reason"]),
        event_id=_text_or_none(message["event_id"]),
        product_id=_text_or_none(message["product_id"]),
        shard_id=_text(message["shard_id"]),
        sequence_number=int(_text(message["sequence_number"])),
        arrived_at=float(message["arrived_at"]),
        payload=None if truncated else _payload(message),
        truncated=truncated,
        code=_text_or_none(message.get("code")),
    )


def _payload(message: dict[str, Any]) -> bytes | None:
    text = _text(message["payload"])
    match message["payload_encoding"]:
        case "utf-8":
            return text.encode("utf-8")
        case "base64":
            return base64.b64decode(text, validate=True)
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
