"""Input templates: what an enrichment or a target gets in place of an event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring
from math import isfinite
from typing import Any, NamedTuple

from eventbridge_pipes.path import MISSING, Found, PathError, TooLargeError, parse_path
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record, decode_json
from eventbridge_pipes.template_warning import TemplateWarning, WarningKind

RENDER_LIMIT = 6 * 1024 * 1024
"""Bytes that a template may make of a batch: AWS's limit of a payload."""


class TemplateError(ValueError):
    """The template is refused; the text says why, and names the line and the column."""


class Context(NamedTuple):
    """What a template may say beside the record.

    `ingested` is when the pipe took the record in, in seconds since the epoch.
    """

    pipe: Pipe
    ingested: float


Read = Callable[[Record, Context], Any]
Write = Callable[[Any], str]


class Placeholder(NamedTuple):
    """`name` stands between < and >, `read` returns its value, and `write` makes text of that."""

    name: str
    read: Read
    write: Write

    def warning(self, value: Any, text: str) -> WarningKind | None:
        """Return what AWS may do in another way with `value`, which is written as `text`."""
        if value is MISSING:
            return None if self.read is _nothing else WarningKind.PATH_TO_NOTHING
        is_object = isinstance(value, dict | list)
        if self.write is _alone:
            return WarningKind.UNQUOTED_JSON if is_object else None
        # An object outside quotes is inserted as JSON, on AWS too.
        escapes = self.write is _in_string or (self.write is _as_json and not is_object)
        return WarningKind.ESCAPED_VALUE if escapes and "\\" in text else None


class Template(NamedTuple):
    """A template, compiled: literal text and placeholders by turns.

    `first` comes before all `pieces`; each is a placeholder and the literal after it. What a
    template in JSON (`is_json`) renders is JSON, whatever the event holds. `warnings` need no event
    to be known.
    """

    first: str
    pieces: list[tuple[Placeholder, str]]
    is_json: bool
    warnings: frozenset[TemplateWarning]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises TemplateError. An empty InputTemplate is AWS's way to say that there is none.

        A template is JSON when it is JSON with some value in place of each placeholder; else it
        is free text, unless it begins as an object does. A path that is all of the template is
        free text too: `<$.body>` brings the plain text of a message without quotes around it (as
        an integration test of AWS's CDK, aws-pipes-alpha, shows).
        """
        parts = re.split("<([^>]*)>", text)
        literals, names = parts[::2], parts[1::2]
        if "<" in literals[-1]:
            raise TemplateError(
                f"the < at {_at(text, text.index('<', len(text) - len(literals[-1])))} of"
                " InputTemplate is not closed; it cannot be escaped, in a string of JSON it can be"
                r" written as \u003c"
            )
        sample, places = _sample(literals, names)
        stripped = text.strip()
        is_path = len(names) == 1 and stripped.startswith("<$") and stripped.endswith(">")
        is_json = _is_json(text, sample) and not is_path
        pieces = []
        for name, (position, quoted), literal in zip(names, places, literals[1:], strict=True):
            write: Write = _alone if is_path else _as_text
            if is_json:
                write = _in_string if quoted else _as_json
            read = _read(name, write, _at(text, position))
            if name == _EVENT and write is _as_json:
                write = str  # It is JSON already.
            pieces.append((Placeholder(name, read, write), literal))
        return cls(literals[0], pieces, is_json, frozenset(_warnings(text, pieces)))

    def render_all(
        self, records: Sequence[Record], context: Context
    ) -> tuple[list[str], set[TemplateWarning]]:
        """Return a text for each record, which UTF-8 can encode, and warnings about the records.

        Raises TooLargeError as soon as the texts are over RENDER_LIMIT.
        """
        texts: list[str] = []
        warnings: set[TemplateWarning] = set()
        room = RENDER_LIMIT
        for record in records:
            text = self._rendered(record, context, room, warnings)
            room -= len(text) if text.isascii() else len(text.encode())
            if room < 0:
                raise TooLargeError(_TOO_LARGE)
            texts.append(text)
        return texts, warnings

    def _rendered(
        self, record: Record, context: Context, room: int, warnings: set[TemplateWarning]
    ) -> str:
        """Add to `warnings`."""
        parts = [self.first]
        for placeholder, literal in self.pieces:
            value = placeholder.read(record, context)
            written = placeholder.write(value)
            room -= len(written)
            if room < 0:
                raise TooLargeError(_TOO_LARGE)
            if kind := placeholder.warning(value, written):
                warnings.add(TemplateWarning(kind, f"<{placeholder.name}>"))
            parts.append(written)
            parts.append(literal)
        text = "".join(parts)
        return text if text.isascii() else _encodable(text, self.is_json)


def _sample(literals: list[str], names: list[str]) -> tuple[str, list[tuple[int, bool]]]:
    """The template with a value for each placeholder; where each is, and whether between quotes.

    It is as long as the template: places stay the same. The values are such that nothing beside
    them can make one value of them and itself, as a digit would of another digit: `1<$.a>` is no
    JSON.
    """
    sample, places, inside = literals[0], [], False
    for before, name, after in zip(literals[:-1], names, literals[1:], strict=True):
        unescaped = before.replace(r"\\", "").replace(r"\"", "")
        inside ^= unescaped.count('"') % 2 == 1
        places.append((len(sample), inside))
        width = len(f"<{name}>")
        sample += ("_" * width if inside else "[]".ljust(width)) + after
    return sample, places


def _is_json(text: str, sample: str) -> bool:
    """Raises TemplateError for a template that begins as an object does and is no JSON."""
    try:
        decode_json(sample)
    except RecursionError:
        raise TemplateError("InputTemplate is nested too deep") from None
    except ValueError as error:
        if not text.lstrip().startswith("{"):
            return False
        place = _at(text, getattr(error, "pos", 0))
        reason = getattr(error, "msg", str(error))
        raise TemplateError(f"InputTemplate is not valid JSON at {place}: {reason}") from None
    return True


def _at(text: str, index: int) -> str:
    """Names the place of a character, for people."""
    before = text[:index]
    return f"line {before.count(chr(10)) + 1}, column {index - before.rfind(chr(10))}"


def _read(name: str, write: Write, where: str) -> Read:
    """`where` is the place of the placeholder, for people."""
    if name.startswith("$"):
        try:
            path = parse_path(name)
        except PathError:
            return _nothing
        return lambda record, _: path(record.decoded)
    if name not in _VARIABLES:
        known = ", ".join(f"<{variable}>" for variable in _VARIABLES)
        raise TemplateError(
            f"InputTemplate contains the invalid placeholder <{name}> at {where}; there are paths,"
            f" as <$.data.id>, and {known}"
        )
    if name == _EVENT_JSON and write is not _as_json:
        raise TemplateError(
            f"<{_EVENT_JSON}> at {where} of InputTemplate is not the value of a field; it is not"
            f" escaped, and so can stand outside quotes in JSON only: use <{_EVENT}>"
        )
    return _VARIABLES[name]


def _warnings(text: str, pieces: Iterable[tuple[Placeholder, str]]) -> Iterator[TemplateWarning]:
    for placeholder in _ESCAPED_PLACEHOLDER.findall(text):
        yield TemplateWarning(WarningKind.ESCAPED_PLACEHOLDER, placeholder)
    for placeholder, _ in pieces:
        if placeholder.read is _nothing:
            yield TemplateWarning(WarningKind.UNREADABLE_PATH, f"<{placeholder.name}>")


def _nothing(*_: object) -> Any:
    """The value of a path that cannot be read."""
    return MISSING


def _whole(record: Record, _: Context) -> Any:
    """The record with its payload decoded; missing when the payload is not JSON."""
    return MISSING if record.payload and not record.has_json_payload else record.decoded


def _ingestion_time(_: Record, context: Context) -> str:
    """In ISO 8601, as documented; the milliseconds are those of AWS's other timestamps."""
    moment = datetime.fromtimestamp(context.ingested, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _as_json(value: Any) -> str:
    """Where a template has JSON: a string is quoted, what is missing is an empty string.

    So does a rule of EventBridge with what is missing; for pipes it is not documented.
    """
    if type(value) is str:
        return encode_basestring(value)
    return _EMPTY if value is MISSING else _encoded(value, _COMPACT)


def _as_text(value: Any) -> str:
    """In free text: what is missing is nothing, objects and arrays lose their quotes.

    `{"key": "value"}` becomes `{key: value}`, as AWS documents it for `<$.body>`.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
    """
    if type(value) is str:
        return value
    return "" if value is MISSING else _encoded(value, _SPACED).replace('"', "")


def _alone(value: Any) -> str:
    """A path that is all of the template: as free text, but with a warning of its own."""
    return _as_text(value)


def _in_string(value: Any) -> str:
    """Between the quotes of a JSON string: as in free text, escaped."""
    return encode_basestring(_as_text(value))[1:-1]


def _encodable(text: str, is_json: bool) -> str:
    """`text` without lone surrogates: UTF-8 has no bytes for them. JSON has an escape for them."""
    return text.encode("utf-8", "backslashreplace" if is_json else "replace").decode()


def _encoded(value: Any, encode: Any) -> str:
    """What is nested too deep to be written counts as missing, as it does when it is read."""
    if type(value) is Found:
        return _encoded_found(value, encode)
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)  # What the encoder writes, at a fifth of the time.
    try:
        try:
            return str(encode(value))
        except ValueError:
            # 1e999 is read as infinity, which JSON cannot say: it becomes null.
            finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
            return str(encode(finite))
    except RecursionError:
        return _EMPTY


def _encoded_found(found: Found, encode: Any) -> str:
    """An array. Its values may contain each other, so that it may be far larger than the event."""
    texts, room = [], RENDER_LIMIT
    for value in found:
        texts.append(_encoded(value, encode))
        room -= len(texts[-1])
        if room < 0:
            raise TooLargeError(_TOO_LARGE)
    return f"[{(',' if encode is _COMPACT else ', ').join(texts)}]"


_TOO_LARGE = "the input template makes more than 6 MB of the batch"
_ESCAPED_PLACEHOLDER = re.compile(r"\\u003c(?:\$|aws\.pipes\.)[^\\<>\s\"]*", re.IGNORECASE)
_EMPTY = '""'
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SPACED = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_EVENT = "aws.pipes.event"
_EVENT_JSON = "aws.pipes.event.json"
_VARIABLES: dict[str, Read] = {
    "aws.pipes.pipe-arn": lambda _, context: context.pipe.arn,
    "aws.pipes.pipe-name": lambda _, context: context.pipe.name,
    "aws.pipes.source-arn": lambda _, context: context.pipe.source,
    "aws.pipes.enrichment-arn": lambda _, context: context.pipe.enrichment or "",
    "aws.pipes.target-arn": lambda _, context: context.pipe.target,
    "aws.pipes.event.ingestion-time": _ingestion_time,
    _EVENT: lambda record, _: record.body,
    _EVENT_JSON: _whole,
}
