"""Read JSON strictly, and change members of an object without changing the rest of its text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn


def strict_json(payload: bytes) -> Any:
    """Return the value of a JSON text. Raises ValueError for what is not JSON in UTF-8, and NaN."""
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def with_members(payload: bytes, members: Mapping[str, object]) -> bytes:
    """Return the JSON object `payload` with these members, and otherwise the same text.

    A member that it has gets the new value in its place; the others come at the end.
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
    """The name of each member of an object, and where its value begins and ends."""

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
