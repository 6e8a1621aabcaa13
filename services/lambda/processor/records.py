"""The records of one invocation, whoever sent them: a pipe, or a plain event source mapping."""

from __future__ import annotations

import base64
import binascii
import math
import re
from dataclasses import dataclass
from typing import Any

from inventory.event import Event, InvalidEventError, parse_record

_SEQUENCE_NUMBER = re.compile("[0-9]{1,129}")
"""https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html"""


@dataclass(frozen=True, slots=True)
class Record:
    """One Kinesis record. `event_id` is "<shard id>:<sequence number>", as AWS names it."""

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
        """What a pipe knows it by, or the event source mapping that it is of."""
        return self.sequence_number if self.of_mapping else self.event_id

    def payload(self) -> bytes:
        """What the producer put on the stream.

        Raises InvalidEventError when `data` is not base64.
        """
        try:
            return base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidEventError("data", "is not base64", "not_base64") from None

    def event(self) -> Event:
        """The inventory event it carries. Raises InvalidEventError when it carries none."""
        if not _SEQUENCE_NUMBER.fullmatch(self.sequence_number):
            raise InvalidEventError("sequenceNumber", "is not a number")
        return parse_record(self.payload(), self.partition_key, int(self.sequence_number))


class UnknownInvocationError(Exception):
    """What the function was called with is no list of Kinesis records."""


def records_of(invocation: Any) -> list[Record]:
    """The records that the function was called with.

    A pipe sends a bare list of flat records and knows them by their event ids; an event source
    mapping sends {"Records": […]} with the stream's part of each under "kinesis" and knows them by
    their sequence numbers.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html

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
    key, data = _member(stream, "partitionKey"), _member(stream, "data")
    arrived_at = _seconds(_member(stream, "approximateArrivalTimestamp"))
    if not all(isinstance(text, str) for text in (event_id, sequence_number, key, data)):
        raise UnknownInvocationError(
            "a record's eventID, sequenceNumber, partitionKey and data must be texts"
        )
    return Record(event_id, sequence_number, key, data, arrived_at, of_mapping=stream is not item)


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
