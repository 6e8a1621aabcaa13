"""The records of an invocation, and their results."""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from typing import Any

from inventory.event import Event, InvalidEventError, parse_record
from inventory.stock import Outcome

_SEQUENCE_NUMBER = re.compile("[0-9]{1,129}")
"""https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html"""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of Kinesis. `event_id` is "<shard id>:<sequence number>", as AWS names it."""

    event_id: str
    sequence_number: str
    partition_key: str
    data: str
    arrived_at: float
    of_mapping: bool = False

    @property
    def shard_id(self) -> str:
        return self.event_id.partition(":")[0]

    @property
    def item_identifier(self) -> str:
        """What the sender calls it in a partial failure: a pipe, or an event source mapping."""
        return self.sequence_number if self.of_mapping else self.event_id

    def payload(self) -> bytes:
        """Return what the producer put on the stream. Raises InvalidEventError."""
        try:
            return base64.b64decode(self.data, validate=True)
        except ValueError:
            raise InvalidEventError("data", "is not base64", "not_base64") from None

    def event(self) -> Event:
        """Raises InvalidEventError if it has no valid event."""
        if not _SEQUENCE_NUMBER.fullmatch(self.sequence_number):
            raise InvalidEventError("sequenceNumber", "is not a number")
        return parse_record(self.payload(), self.partition_key, int(self.sequence_number))


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a record. If it is rejected, `code` is the reason in a word."""

    record: Record
    outcome: Outcome
    reason: str | None = None
    event_id: str | None = None
    product_id: str | None = None
    code: str | None = None


class UnknownInvocationError(Exception):
    """The function was called with something else than records of Kinesis."""


def records_of(invocation: Any) -> list[Record]:
    """Return the records that the function was called with.

    A pipe sends a list of flat records. An event source mapping sends {"Records": […]}, where
    "kinesis" has a part of each record.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html

    Raises UnknownInvocationError: a record without its identifiers cannot be reported as failed.
    """
    match invocation:
        case list():
            return [_record(item, item) for item in invocation]
        case {"Records": list(nested)}:
            return [_record(item, _member(item, "kinesis")) for item in nested]
    raise UnknownInvocationError("expected a list of Kinesis records, or an object with Records")


def _record(item: Any, stream: Any) -> Record:
    names = ("sequenceNumber", "partitionKey", "data")
    event_id, number, key, data = texts = [
        _member(item, "eventID"),
        *(_member(stream, name) for name in names),
    ]
    if not all(isinstance(text, str) for text in texts):
        raise UnknownInvocationError(
            "a record's eventID, sequenceNumber, partitionKey and data must be texts"
        )
    arrived_at = _seconds(_member(stream, "approximateArrivalTimestamp"))
    return Record(event_id, number, key, data, arrived_at, of_mapping=stream is not item)


def _seconds(moment: Any) -> float:
    try:
        if math.isfinite(moment):
            return float(moment)
    except (TypeError, OverflowError):
        pass
    raise UnknownInvocationError("a record's approximateArrivalTimestamp must be a number")


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise UnknownInvocationError(f"a record has no {name}: it is not one of Kinesis")
    return value[name]
