"""How a value of an event is written into a template: as JSON, in a JSON string, in free text."""

from __future__ import annotations

import json
from json.encoder import encode_basestring as quoted
from math import isfinite
from typing import Any

from eventbridge_pipes.events.paths import MISSING

_EMPTY = '""'
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SPACED = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


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
