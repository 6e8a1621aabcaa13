"""Input templates: what an enrichment or a target gets in place of an event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eventbridge_pipes.events.event import Event
from eventbridge_pipes.events.paths import MISSING, Path, PathError, value_at
from eventbridge_pipes.events.rendering import (
    as_json,
    as_text,
    encodable_json,
    encodable_text,
    in_string,
)
from eventbridge_pipes.events.template_syntax import (
    Place,
    Placeholder,
    TemplateError,
    analyse,
    at,
)

__all__ = ["Context", "Template", "TemplateError"]


@dataclass(frozen=True)
class Context:
    """What a template may say of its pipe; `enrichment_arn` is empty without an enrichment."""

    pipe_arn: str
    pipe_name: str
    source_arn: str
    enrichment_arn: str
    target_arn: str


Read = Callable[[Event, Context], Any]
Render = Callable[[Event, Context], str]


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

    def render(self, event: Event, context: Context) -> tuple[str, bool]:
        """The text, which UTF-8 can encode, and whether it is JSON."""
        parts = [self._first]
        for render, literal in self._pieces:
            parts.append(render(event, context))
            parts.append(literal)
        text = "".join(parts)
        return (encodable_json if self._is_json else encodable_text)(text), self._is_json


def _render(text: str, placeholder: Placeholder, place: Place) -> Render:
    read = _reader(text, placeholder, place)
    write = _WRITERS[place]
    if placeholder.name == _EVENT and place is Place.VALUE:
        return read
    return lambda event, context: write(read(event, context))


def _reader(text: str, placeholder: Placeholder, place: Place) -> Read:
    name = placeholder.name
    where = at(text, placeholder.start)
    if name.startswith("$"):
        try:
            path = Path.parse(name)
        except PathError as error:
            raise TemplateError(f"InputTemplate at {where}: {error}") from error
        return lambda event, _: value_at(path, event)
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


def _whole(event: Event, _: Context) -> Any:
    """The event with its payload decoded; missing when the payload is not JSON."""
    payload = event.kind.payload if event.kind else None
    return MISSING if payload and event.seen is event.raw else value_at(_ROOT, event)


def _ingestion_time(event: Event, _: Context) -> str:
    """In ISO 8601, as documented; the milliseconds are those of AWS's other timestamps."""
    moment = datetime.fromtimestamp(event.ingested, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


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
    _EVENT: lambda event, _: event.body,
    _EVENT_JSON: _whole,
}
_WRITERS = {Place.VALUE: as_json, Place.STRING: in_string, Place.TEXT: as_text}
