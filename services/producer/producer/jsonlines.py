"""Events from a file of JSON lines, each sent as it is, with an event id."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from producer import ulid
from producer.errors import CannotStartError
from producer.event import EVENT_TYPES, Event
from producer.outbox import MAX_KEY_CHARACTERS, MAX_RECORD_BYTES


def events(name: str, lines: Iterable[bytes], *, send_broken: bool) -> Iterator[Event]:
    """An event for each line that is not blank; `name` is what errors call the file.

    The payload is the line without its end. An object that has no `event_id` gets one, so that the
    consumer recognises a copy that is sent after a lost answer. The partition key is
    `product.product_id`; without one that Kinesis takes it is made of the line's hash, so that the
    same line has the same key.

    Raises CannotStartError, naming file and line, for a line that is not JSON in UTF-8 unless
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
                raise CannotStartError(f"{name}:{number}: invalid JSON: {error}") from None
            document = None
        event = _event(payload, document, ids)
        if event.size > MAX_RECORD_BYTES:
            raise CannotStartError(
                f"{name}:{number}: the record is too large: {event.size} bytes with its "
                "partition key and event id. The limit of Kinesis is 1 MiB."
            )
        yield event


def strict_json(payload: bytes) -> Any:
    """The value of a JSON text. Raises ValueError for what is not JSON in UTF-8, NaN included."""
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def with_members(payload: bytes, members: Mapping[str, object]) -> bytes:
    """The JSON object `payload` with these members, and the rest of its text as it was written.

    A member that it has gets its new value in its place; the others come at the end.
    """
    text = payload.decode("utf-8")
    given = {name: json.dumps(value, ensure_ascii=False) for name, value in members.items()}
    places = list(_members(text))
    for name, start, end in reversed(places):
        if name in given:
            text = text[:start] + given[name] + text[end:]
    known = {name for name, _, _ in places}
    added = [f"{json.dumps(n)}: {value}" for n, value in given.items() if n not in known]
    if added:
        close = text.rindex("}")
        joined = ", ".join(["", *added] if places else added)
        text = text[:close] + joined + text[close:]
    return text.encode()


_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """The name of each member of a JSON object, and where its value begins and ends."""

    def after_space(place: int) -> int:
        found = _SPACE.match(text, place)
        return place if found is None else found.end()

    place = after_space(after_space(0) + 1)
    while text[place : place + 1] == '"':
        name, place = _DECODER.raw_decode(text, place)
        start = after_space(after_space(place) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        place = after_space(after_space(end) + 1)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _event(payload: bytes, document: object, ids: Iterator[str]) -> Event:
    fields = document if isinstance(document, dict) else {}
    product = fields.get("product")
    product_id = product.get("product_id") if isinstance(product, dict) else None
    key = product_id if isinstance(product_id, str) and _is_key(product_id) else _key_of(payload)
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


def _key_of(payload: bytes) -> str:
    return f"line-{hashlib.sha256(payload).hexdigest()[:16]}"
