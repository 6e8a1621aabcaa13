"""Events sent by hand, valid or broken on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from inventory import ulid
from inventory.broken import WAYS, dump
from inventory.event import InvalidEventError, parse

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

POISONS = tuple(WAYS)

TYPES: Mapping[str, tuple[str, ...]] = {
    "product_added": ("product_name", "quantity", "timestamp"),
    "product_removed": (),
    "product_quantity_changed": ("quantity", "quantity_change"),
}
"""The fields of each event type, beside the product ID."""


def event_of(kind: str, fields: Mapping[str, str], event_id: str) -> bytes:
    """Return the event of a filled-in form, without the fields that are empty.

    Raises InvalidEventError, as the function would reject it.
    """
    filled = {name: fields.get(name, "").strip() for name in ("product_id", *TYPES[kind])}
    product = {name: text for name, text in filled.items() if text}
    data = dump({"event_type": kind, "event_id": event_id, "product": product})
    parse(data, 0)
    return data


def problem(kind: str, fields: Mapping[str, str]) -> str | None:
    """Return why the form is no valid event yet."""
    try:
        event_of(kind, fields, "not-yet")
    except InvalidEventError as error:
        return str(error)
    return None


def poison(way: str, product_id: str, event_id: str) -> bytes:
    """Return an event that the function rejects."""
    product = {"product_id": product_id, "product_name": "Poison", "quantity": 1}
    return WAYS[way]({"event_type": "product_added", "event_id": event_id, "product": product})


class Sending:
    """Puts events on the stream."""

    def __init__(self, kinesis: KinesisClient, stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._ids = ulid.fresh()

    def send(self, kind: str, fields: Mapping[str, str]) -> str:
        """Return the ID of the event. Raises InvalidEventError before anything is sent."""
        event_id = next(self._ids)
        self._put(event_of(kind, fields, event_id), fields["product_id"].strip())
        return event_id

    def send_poison(self, way: str, product_id: str) -> None:
        self._put(poison(way, product_id, next(self._ids)), product_id)

    def _put(self, data: bytes, product_id: str) -> None:
        self._kinesis.put_record(StreamName=self._stream, Data=data, PartitionKey=product_id[:256])
