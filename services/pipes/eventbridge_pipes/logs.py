"""The service's own log: one line an event, as text or as JSON."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("eventbridge_pipes")

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class PipeLog(logging.LoggerAdapter[logging.Logger]):
    """The log of one pipe: every line of it names the pipe."""

    def __init__(self, pipe: str) -> None:
        super().__init__(LOGGER, {"pipe": pipe})

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = self.extra
        return msg, kwargs


class JsonFormatter(logging.Formatter):
    """`{"time": …, "level": …, "pipe": …, "message": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname}
        if hasattr(record, "pipe"):
            line["pipe"] = record.pipe
        line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextFormatter(logging.Formatter):
    """Time, level, pipe, message; what came from outside cannot break or colour the line."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if hasattr(record, "pipe"):
            text = f"{record.pipe}: {text}"
        return f"{_time(record)} {record.levelname:<7} {escaped(text)}"


def escaped(text: str) -> str:
    """`text` on one line, control characters shown as escapes."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def configure(style: str, level: str = "info") -> None:
    """Log to standard error; `style` is text or json, `level` debug, info or warning."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(level.upper())


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
