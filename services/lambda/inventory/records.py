"""The records of one invocation, whoever sent them: a pipe, or a plain event source mapping."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from inventory.event import Event, InvalidEventError, parse


@dataclass(frozen=True, slots=True)
class Record:
    """One Kinesis record. `event_id` is "<shard id>:<sequence number>", as AWS names it."""

    event_id: str
    sequence_number: str
    data: str
    arrived_at: float

    @property
    def shard_id(self) -> str:
        return self.event_id.partition(":")[0]

    def payload(self) -> bytes:
        """What the producer put on the stream.

        Raises InvalidEventError when `data` is not base64.
        """
        try:
            return base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidEventError("data", "is not base64") from None

    def event(self) -> Event:
        """The inventory event it carries. Raises InvalidEventError when it carries none."""
        if not (self.sequence_number.isascii() and self.sequence_number.isdigit()):
            raise InvalidEventError("sequenceNumber", "is not a number")
        return parse(self.payload(), int(self.sequence_number))


class UnknownInvocationError(Exception):
    """What the function was called with is no list of Kinesis records."""


def records_of(invocation: Any) -> list[Record]:
    """The records that the function was called with.

    A pipe sends a bare list of flat records; an event source mapping sends {"Records": […]} with
    the stream's part of each under "kinesis".
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html

    Raises UnknownInvocationError for anything else: without its identifier a record can neither
    be handled nor be reported as failed.
    """
    match invocation:
        case list():
            return [_record(item, item) for item in invocation]
        case {"Records": list(nested)}:
            return [_record(item, _member(item, "kinesis")) for item in nested]
    raise UnknownInvocationError("expected a list of Kinesis records, or an object with Records")


def _record(item: Any, stream: Any) -> Record:
    event_id, sequence_number = _member(item, "eventID"), _member(stream, "sequenceNumber")
    data, arrived_at = _member(stream, "data"), _member(stream, "approximateArrivalTimestamp")
    if not all(isinstance(text, str) for text in (event_id, sequence_number, data)):
        raise UnknownInvocationError("a record's eventID, sequenceNumber and data must be texts")
    if not isinstance(arrived_at, int | float):
        raise UnknownInvocationError("a record's approximateArrivalTimestamp must be a number")
    return Record(event_id, sequence_number, data, float(arrived_at))


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise UnknownInvocationError(f"a record has no {name}: it is not one of Kinesis")
    return value[name]
