"""What the function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from alerts.crossings import Thresholds

OFF = "off"


class SettingsError(Exception):
    """A variable is missing or has a value that means nothing; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    topic_arn: str
    table_name: str
    queue_name: str
    stream_name: str
    thresholds: Thresholds

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError."""
        return cls(
            topic_arn=_required(environ, "ALERTS_TOPIC_ARN"),
            table_name=_required(environ, "ALERTS_TABLE_NAME"),
            queue_name=_required(environ, "ALERTS_QUEUE_NAME"),
            stream_name=_required(environ, "STREAM_NAME"),
            thresholds=Thresholds(_level(environ, "LOW_STOCK"), _level(environ, "HIGH_STOCK")),
        )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _level(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(name, OFF)
    if value == OFF:
        return None
    if not (value.isascii() and value.isdigit()):
        raise SettingsError(f"{name} is {value!r}: it must be a whole number or {OFF}")
    return int(value)
