"""The service's own log: one line an event, as text or as JSON."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from eventbridge_pipes.arn import Arn, Scope

LOGGER = logging.getLogger("eventbridge_pipes")


class PipeLog(logging.LoggerAdapter[logging.Logger]):
    """The log of one pipe: every line of it names the pipe."""

    def __init__(self, arn: str) -> None:
        super().__init__(LOGGER, {"pipe": arn})


def name_of(arn: str, home: Scope) -> str:
    """Return the name of a pipe, and where it is if that is not `home`."""
    pipe = Arn.parse(arn)
    return pipe.name if pipe.scope == home else f"{pipe.name} in {pipe.region} of {pipe.account}"


class JsonFormatter(logging.Formatter):
    """`{"time": …, "level": …, "pipe": …, "account": …, "region": …, "message": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname}
        if hasattr(record, "pipe"):
            pipe = Arn.parse(record.pipe)
            line |= {"pipe": pipe.name, "account": pipe.account, "region": pipe.region}
        line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextFormatter(logging.Formatter):
    """Time, level, pipe, message; what came from outside cannot break or colour the line.

    The pipes of `home` are named without their account and Region.
    """

    def __init__(self, home: Scope) -> None:
        super().__init__()
        self.home = home

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if hasattr(record, "pipe"):
            text = f"{name_of(record.pipe, self.home)}: {text}"
        return f"{_time(record)} {record.levelname:<7} {escaped(text)}"


def escaped(text: str) -> str:
    """`text` on one line; what does not print as itself is shown as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def configure(style: str, level: str, home: Scope) -> None:
    """Log to standard error; `style` is text or json, `level` debug, info or warning."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter(home))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOGGER.setLevel(level.upper())


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
