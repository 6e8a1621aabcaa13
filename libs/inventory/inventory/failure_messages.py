"""Messages about failed events: those of the function about rejected events, and a pipe's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that the function rejected, and why.

    `payload` is None if it was too long for the message, or could not be decoded.
    """

    code: str
    reason: str
    event_id: str | None
    product_id: str | None
    shard_id: str
    sequence_number: int
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A batch that the pipe gave up: `count` records of a shard, from `first` to `last`.

    `given_up_at` is in epoch seconds; `condition` is AWS's word for the reason.
    """

    condition: str
    shard_id: str
    first: int
    last: int
    count: int
    given_up_at: float


def parse_rejection(body: str) -> Rejection | None:
    """Read a message's body; return None for anything that the function did not write."""
    return _parsed(body, _rejection)


def parse_dead_letter(body: str) -> DeadLetter | None:
    """Read a message's body; return None for anything that no pipe wrote.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """
    return _parsed(body, _dead_letter)


def _parsed(body: str, read: Callable[[Any], T]) -> T | None:
    try:
        return read(json.loads(body))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _rejection(message: Any) -> Rejection:
    return Rejection(
        code=_text(message["code"]),
        reason=_text(message["reason"]),
        event_id=_text_or_none(message["event_id"]),
        product_id=_text_or_none(message["product_id"]),
        shard_id=_text(message["shard_id"]),
        sequence_number=int(_text(message["sequence_number"])),
        payload=None if message["payload_truncated"] else _payload(message),
    )


def _payload(message: Any) -> bytes | None:
    text = _text(message["payload"])
    match message["payload_encoding"]:
        case "utf-8":
            return text.encode("utf-8")
        case "base64":
            return base64.b64decode(text, validate=True)
    return None


def _dead_letter(message: Any) -> DeadLetter:
    batch = message["KinesisBatchInfo"]
    given_up_at = message["timestamp"].replace("Z", "+00:00")
    return DeadLetter(
        condition=str(message["context"]["condition"]),
        shard_id=str(batch["shardId"]),
        first=int(batch["startSequenceNumber"]),
        last=int(batch["endSequenceNumber"]),
        count=int(batch["batchSize"]),
        given_up_at=datetime.fromisoformat(given_up_at).timestamp(),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
