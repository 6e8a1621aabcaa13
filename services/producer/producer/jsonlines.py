"""Events from a file of JSON lines, each sent as it is, with an event id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from inventory import ulid
from inventory.json_text import strict_json, with_members
from inventory_aws.event import EVENT_TYPES, Event
from inventory_aws.outbox import MAX_KEY_CHARACTERS, MAX_RECORD_BYTES
from producer.usage import RefusedError


def events(name: str, lines: Iterable[bytes], *, send_broken: bool) -> Iterator[Event]:
    """Yield an event for each line that is not blank; errors call the file `name`.

    The payload is the line without its end. An object that has no `event_id` gets one, so that the
    consumer recognises a copy that is sent after a lost response. The partition key is
    `product.product_id`; without one that Kinesis takes it is made of the line's hash, so that the
    same line has the same key.

    Raises RefusedError, naming file and line, for a line that is not JSON in UTF-8 unless
    `send_broken`, and for one that is longer than a record may be.
    """
    ids = ulid.fresh()
    for number, line in enumerate(lines, start=1):
        payload = line.rstrip(b"\r\n")
        if not payload.strip():
            continue
        try:
            document = strict_json(payload)
        except ValueError as error:
            if not send_broken:
                raise RefusedError(f"{name}:{number}: invalid JSON: {error}") from None
            document = None
        event = _event(payload, document, ids)
        if event.size > MAX_RECORD_BYTES:
            raise RefusedError(
                f"{name}:{number}: the record is too large: {event.size} bytes with its "
                "partition key and event id. The limit of Kinesis is 1 MiB."
            )
        yield event


def _event(payload: bytes, document: object, ids: Iterator[str]) -> Event:
    fields = document if isinstance(document, dict) else {}
    match fields.get("product"):
        case {"product_id": str(product_id)} if _is_key(product_id):
            key = product_id
        case _:
            key = f"line-{hashlib.sha256(payload).hexdigest()[:16]}"
    event_id = fields.get("event_id")
    if isinstance(document, dict) and "event_id" not in document:
        event_id = next(ids)
        payload = with_members(payload, {"event_id": event_id})
    kind = fields.get("event_type")
    return Event(
        payload=payload,
        partition_key=key,
        event_id=event_id if isinstance(event_id, str) else None,
        kind=kind if isinstance(kind, str) and kind in EVENT_TYPES else "other",
    )


def _is_key(text: str) -> bool:
    """Whether Kinesis takes it as a partition key; a lone surrogate has no UTF-8 form."""
    return 1 <= len(text) <= MAX_KEY_CHARACTERS and not any("\ud800" <= c <= "\udfff" for c in text)
