"""One event on its way through a pipe."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from eventbridge_pipes.sources.kinds import SourceKind

_UNSEEN: Any = object()


class Event:
    """`body` is its JSON, as the source or the enrichment made it; it goes on byte for byte.

    `kind` is None for what an enrichment returned; `ingested` is when the pipe took the event in
    (seconds since the epoch).
    """

    __slots__ = ("_raw", "_seen", "body", "ingested", "kind")

    def __init__(self, body: str, kind: SourceKind | None, ingested: float) -> None:
        self.body = body
        self.kind = kind
        self.ingested = ingested
        self._raw = _UNSEEN
        self._seen = _UNSEEN

    @property
    def raw(self) -> Any:
        """The event as a value, its payload still text."""
        if self._raw is _UNSEEN:
            self._raw = json.loads(self.body)
        return self._raw

    @property
    def seen(self) -> Any:
        """The event as paths and patterns see it: a payload that holds JSON is that JSON."""
        if self._seen is _UNSEEN:
            self._seen = _with_payload(self.raw, self.kind)
        return self._seen


def _with_payload(raw: Any, kind: SourceKind | None) -> Any:
    if kind is None or kind.payload is None:
        return raw
    text: str | bytes = raw[kind.payload]
    try:
        if kind is SourceKind.KINESIS:
            text = base64.b64decode(text, validate=True)
        return {**raw, kind.payload: json.loads(text, parse_constant=_refuse)}
    except (binascii.Error, ValueError, RecursionError):
        return raw


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
