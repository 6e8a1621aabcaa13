"""Input templates: what an enrichment or a target gets in place of an event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring as quoted
from math import isfinite
from typing import Any

from eventbridge_pipes.path import MISSING, Path, PathError, value_at
from eventbridge_pipes.record import Record
from eventbridge_pipes.template_syntax import (
    Place,
    Placeholder,
    TemplateError,
    analyse,
    at,
)

__all__ = ["Context", "Template", "TemplateError"]


@dataclass(frozen=True)
class Context:
    """What a template may say beside the record; `enrichment_arn` is empty without an enrichment.

    `ingested` is when the pipe took the record in, in seconds since the epoch.
    """

    pipe_arn: str
    pipe_name: str
    source_arn: str
    enrichment_arn: str
    target_arn: str
    ingested: float = 0.0


Read = Callable[[Record, Context], Any]
Render = Callable[[Record, Context], str]


class Template:
    """A template, compiled: literal text and placeholders by turns.

    What a template in JSON renders is JSON, whatever the event holds.
    """

    __slots__ = ("_first", "_is_json", "_pieces")

    def __init__(self, first: str, pieces: list[tuple[Render, str]], is_json: bool) -> None:
        """`first` comes before all pieces; each is a placeholder and the literal after it."""
        self._first = first
        self._pieces = pieces
        self._is_json = is_json

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises TemplateError. An empty InputTemplate is AWS's way to say that there is none."""
        placeholders, places, is_json = analyse(text)
        starts = [*(placeholder.start for placeholder in placeholders), len(text)]
        pieces = [
            (_render(text, placeholder, place), text[placeholder.end : following])
            for placeholder, place, following in zip(placeholders, places, starts[1:], strict=True)
        ]
        return cls(text[: starts[0]], pieces, is_json)

    def render(self, record: Record, context: Context) -> tuple[str, bool]:
        """The text, which UTF-8 can encode, and whether it is JSON."""
        parts = [self._first]
        for render, literal in self._pieces:
            parts.append(render(record, context))
            parts.append(literal)
        text = "".join(parts)
        return (encodable_json if self._is_json else encodable_text)(text), self._is_json


def _render(text: str, placeholder: Placeholder, place: Place) -> Render:
    read = _reader(text, placeholder, place)
    write = _WRITERS[place]
    if placeholder.name == _EVENT and place is Place.VALUE:
        return read
    return lambda record, context: write(read(record, context))


def _reader(text: str, placeholder: Placeholder, place: Place) -> Read:
    name = placeholder.name
    where = at(text, placeholder.start)
    if name.startswith("$"):
        try:
            path = Path.parse(name)
        except PathError as error:
            raise TemplateError(f"InputTemplate at {where}: {error}") from error
        return lambda record, _: value_at(path, record)
    if name not in _VARIABLES:
        known = ", ".join(f"<{variable}>" for variable in _VARIABLES)
        raise TemplateError(
            f"InputTemplate contains the invalid placeholder <{name}> at {where}; there are paths,"
            f" as <$.data.id>, and {known}"
        )
    if name == _EVENT_JSON and place is not Place.VALUE:
        raise TemplateError(
            f"<{_EVENT_JSON}> at {where} of InputTemplate is not the value of a field; it is not"
            f" escaped, and so can stand outside quotes in JSON only: use <{_EVENT}>"
        )
    return _VARIABLES[name]


def _whole(record: Record, _: Context) -> Any:
    """The record with its payload decoded; missing when the payload is not JSON."""
    not_json = record.payload and not record.has_json_payload
    return MISSING if not_json else value_at(_ROOT, record)


def _ingestion_time(_: Record, context: Context) -> str:
    """In ISO 8601, as documented; the milliseconds are those of AWS's other timestamps."""
    moment = datetime.fromtimestamp(context.ingested, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def as_json(value: Any) -> str:
    """Where a template has JSON: a string is quoted, what is missing is an empty string.

    So does a rule of EventBridge with what is missing; for pipes it is not documented.
    """
    if type(value) is str:
        return quoted(value)
    return _EMPTY if value is MISSING else _encoded(value, _COMPACT)


def as_text(value: Any) -> str:
    """In free text: what is missing is nothing, objects and arrays lose their quotes.

    `{"key": "value"}` becomes `{key: value}`, as AWS documents it for `<$.body>`.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
    """
    if type(value) is str:
        return value
    return "" if value is MISSING else _encoded(value, _SPACED).replace('"', "")


def in_string(value: Any) -> str:
    """Between the quotes of a JSON string: as in free text, escaped."""
    return quoted(as_text(value))[1:-1]


def encodable_json(text: str) -> str:
    """`text` without lone surrogates: JSON has an escape for them, UTF-8 has no bytes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def encodable_text(text: str) -> str:
    """`text` with a question mark for a lone surrogate, which UTF-8 has no bytes for."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _encoded(value: Any, encode: Any) -> str:
    """What is nested too deep to be written counts as missing, as it does when it is read."""
    try:
        try:
            return str(encode(value))
        except ValueError:
            return str(encode(_finite(value)))
    except RecursionError:
        return _EMPTY


def _finite(value: Any) -> Any:
    """`value` with null for the numbers that are too large for a float: 1e999 is read as infinity,
    which JSON cannot say."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


_EMPTY = '""'
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SPACED = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_ROOT = Path.parse("$")
_EVENT = "aws.pipes.event"
_EVENT_JSON = "aws.pipes.event.json"
_VARIABLES: dict[str, Read] = {
    "aws.pipes.pipe-arn": lambda _, context: context.pipe_arn,
    "aws.pipes.pipe-name": lambda _, context: context.pipe_name,
    "aws.pipes.source-arn": lambda _, context: context.source_arn,
    "aws.pipes.enrichment-arn": lambda _, context: context.enrichment_arn,
    "aws.pipes.target-arn": lambda _, context: context.target_arn,
    "aws.pipes.event.ingestion-time": _ingestion_time,
    _EVENT: lambda record, _: record.body,
    _EVENT_JSON: _whole,
}
_WRITERS = {Place.VALUE: as_json, Place.STRING: in_string, Place.TEXT: as_text}
