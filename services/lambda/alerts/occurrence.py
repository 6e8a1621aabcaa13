"""What happened: a rejected event, a dead letter, or a stock level that crossed a threshold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from inventory.event import claims
from inventory.failure_messages import DeadLetter, Rejection, parse_dead_letter, parse_rejection
from inventory_aws.stream import StreamRecord

MAX_CHARACTERS = 256
"""Of a text in a sample: ten samples fit a message of SNS, however they are escaped."""

_REASON = re.compile(r"[A-Za-z0-9_.-]{1,100}")
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_REFUSED_BY_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Sample: TypeAlias = Mapping[str, Any]


class Kind(StrEnum):
    REJECTED = "rejected"
    DEAD_LETTER = "dead_letter"
    LOW_STOCK = "low_stock"
    HIGH_STOCK = "high_stock"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened, at `at` in seconds since the epoch. `record_id` is that of the
    function's record which says so. A dead letter has a sample for each of its records that was
    read, or one for all."""

    record_id: str
    kind: Kind
    reason: str
    at: float
    samples: Sequence[Sample]


def read_message(
    message: Any, records_of: Callable[[DeadLetter], Sequence[StreamRecord]]
) -> Occurrence | None:
    """Return what a message of the queue is about, or None if no part of the pipeline wrote it."""
    at = int(message["attributes"]["SentTimestamp"]) / 1000
    if rejection := parse_rejection(message["body"]):
        kind, reason = Kind.REJECTED, rejection.code
        samples = [_sample_of_rejection(rejection)]
    elif letter := parse_dead_letter(message["body"]):
        kind, reason = Kind.DEAD_LETTER, letter.condition
        samples = [*_samples_of_dead_letter(letter, records_of(letter))]
    else:
        return None
    # Few reasons, so few messages: only a short word is one.
    known = reason if reason and _REASON.fullmatch(reason) else "unknown"
    samples = [{"at": at, **sample} for sample in samples]
    return Occurrence(message["messageId"], kind, known, at, samples)


def excerpt(text: str | None) -> str | None:
    """Return the beginning of a text, without the characters that SQS refuses."""
    if text is None:
        return None
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - 1] + "…"
    return _REFUSED_BY_SQS.sub("\ufffd", text)


def _sample_of_rejection(rejection: Rejection) -> Sample:
    return {
        "event_id": excerpt(rejection.event_id),
        "product_id": excerpt(rejection.product_id),
        "shard_id": excerpt(rejection.shard_id),
        "sequence_number": str(rejection.sequence_number),
        "detail": excerpt(rejection.reason),
        "payload": _excerpt_of_payload(rejection.payload),
    }


def _samples_of_dead_letter(
    letter: DeadLetter, records: Sequence[StreamRecord]
) -> Iterator[Sample]:
    batch: Sample = {"shard_id": excerpt(letter.shard_id), "records": letter.count}
    if not records:
        yield {**batch, "sequence_number": str(letter.first)}
    for record in records:
        event_id, product_id = claims(record.data)
        yield {
            **batch,
            "sequence_number": str(record.sequence_number),
            "event_id": excerpt(event_id),
            "product_id": excerpt(product_id),
            "payload": _excerpt_of_payload(record.data),
        }


def _excerpt_of_payload(payload: bytes | None) -> str | None:
    # A payload may have a megabyte, so it is cut before it is decoded.
    return None if payload is None else excerpt(payload[:1000].decode("utf-8", "replace"))
