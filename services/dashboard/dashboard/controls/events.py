"""Events sent by hand, valid or broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from inventory import ulid
from inventory.broken import UNREADABLE, WAYS, dump
from inventory.event import InvalidEventError, parse

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

POISONS = tuple(WAYS)

TYPES: Mapping[str, tuple[str, ...]] = {
    "product_added": ("product_name", "quantity", "timestamp"),
    "product_removed": (),
    "product_quantity_changed": ("quantity", "quantity_change"),
}
"""The fields that a form has for each type, beside the product's id."""


def event_of(kind: str, fields: Mapping[str, str], event_id: str) -> bytes:
    """The event that a filled-in form stands for; a field that is left empty is left out.

    Raises InvalidEventError, as the function would reject it.
    """
    product: dict[str, Any] = {}
    for name in ("product_id", *TYPES[kind]):
        if text := fields.get(name, "").strip():
            product[name] = text
    document = {"event_type": kind, "event_id": event_id, "product": product}
    data = dump(document)
    parse(data, 0)
    return data


def problem(kind: str, fields: Mapping[str, str]) -> str | None:
    """Why the form is no valid event yet."""
    try:
        event_of(kind, fields, "not-yet")
    except InvalidEventError as error:
        return str(error)
    return None


def poison(way: str, product_id: str, event_id: str) -> bytes:
    """An event that the function rejects."""
    product = {"product_id": product_id, "product_name": "Poison", "quantity": 1}
    return WAYS[way]({"event_type": "product_added", "event_id": event_id, "product": product})


class Sending:
    """Puts events on the stream, each under its product's id."""

    def __init__(
        self, kinesis: KinesisClient, stream: str, new_id: Callable[[], str] | None = None
    ) -> None:
        self._kinesis = kinesis
        self._stream = stream
        ids = ulid.fresh()
        self._new_id = new_id or (lambda: next(ids))

    def send(self, kind: str, fields: Mapping[str, str]) -> str:
        """The id of the event. Raises InvalidEventError before anything is sent."""
        event_id = self._new_id()
        data = event_of(kind, fields, event_id)
        self._put(data, json.loads(data)["product"]["product_id"])
        return event_id

    def send_poison(self, way: str, product_id: str) -> str:
        """What it is known by: its event id, unless it is broken so that it cannot be read."""
        event_id = self._new_id()
        self._put(poison(way, product_id, event_id), product_id)
        return "an event that cannot be read" if way in UNREADABLE else event_id

    def _put(self, data: bytes, key: str) -> None:
        self._kinesis.put_record(StreamName=self._stream, Data=data, PartitionKey=key[:256])
