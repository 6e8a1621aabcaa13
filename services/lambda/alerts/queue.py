"""What comes by the queue `inventory-alerts`: rejections, dead letters, and our own ticks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from alerts.cause import Cause, Kind, Occurrence, Sample
from alerts.texts import excerpt, excerpt_or_none
from inventory.failure_messages import DeadLetter, Rejection, parse_dead_letter, parse_rejection
from inventory_aws.stream import StreamRecord

Claims: TypeAlias = Callable[[bytes], tuple[str | None, str | None]]
"""The event id and the product id that a payload says it has."""

Fetch: TypeAlias = Callable[[DeadLetter], Sequence[StreamRecord]]
"""The first few records that a dead letter stands for, as far as they can be had."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A message of ours to ourselves: look whether anything waits, at `at` (epoch ms)."""

    cause: Cause
    at: int

    @property
    def body(self) -> str:
        return json.dumps({"tick": self.cause.key, "at": self.at})


def parse_tick(body: str) -> Tick | None:
    """None when it is none."""
    try:
        document = json.loads(body)
        return Tick(Cause.from_key(document["tick"]), int(document["at"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None


def read(body: str, at: float, fetch: Fetch, claims: Claims) -> Tick | Occurrence | None:
    """What a message that was sent at `at` (epoch seconds) tells; None when it is none of ours."""
    if (rejection := parse_rejection(body)) is not None:
        return _rejected(rejection, at)
    if (letter := parse_dead_letter(body)) is not None:
        return _dead_letter(letter, at, fetch(letter), claims)
    return parse_tick(body)


def _rejected(rejection: Rejection, at: float) -> Occurrence:
    sample: Sample = {
        "at": at,
        "event_id": excerpt_or_none(rejection.event_id),
        "product_id": excerpt_or_none(rejection.product_id),
        "shard_id": excerpt(rejection.shard_id),
        "sequence_number": str(rejection.sequence_number),
        "detail": excerpt(rejection.reason),
        "payload": _beginning(rejection.payload),
    }
    return Occurrence(Cause.of(Kind.REJECTED, rejection.code), at, [sample])


def _dead_letter(
    letter: DeadLetter, at: float, records: Sequence[StreamRecord], claims: Claims
) -> Occurrence:
    place: Sample = {"at": at, "shard_id": excerpt(letter.shard_id), "records": letter.count}
    samples: list[Sample] = []
    for record in records:
        event_id, product_id = claims(record.data)
        samples.append(
            {
                **place,
                "sequence_number": str(record.sequence_number),
                "event_id": excerpt_or_none(event_id),
                "product_id": excerpt_or_none(product_id),
                "payload": _beginning(record.data),
            }
        )
    unknown: Sample = {**place, "sequence_number": str(letter.first)}
    return Occurrence(Cause.of(Kind.DEAD_LETTER, letter.condition), at, samples or [unknown])


def _beginning(payload: bytes | None) -> str | None:
    """Cut before it is decoded: a payload may be a megabyte."""
    return None if payload is None else excerpt(payload[:1000].decode("utf-8", "replace"))


def sent_at(record: Any) -> float:
    """When a record of a mapping's batch was sent, in epoch seconds."""
    return int(record["attributes"]["SentTimestamp"]) / 1000
