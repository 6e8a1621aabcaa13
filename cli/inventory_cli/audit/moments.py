"""Moments as the log has them: ISO 8601, UTC, to the second, so that they sort as texts. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

WHOLE_MINUTE = ":00Z"

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(at: datetime) -> str:
    """`at`, which has a time zone; UTC is what it is in if it has none."""
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return aware.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def since(text: str, now: datetime) -> str:
    """The moment that `text` means: how long ago, as 90s, 10m, 2h or 3d, or a time in ISO 8601.

    Raises ValueError or OverflowError.
    """
    if ago := _AGO.fullmatch(text):
        return moment(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
    return moment(datetime.fromisoformat(text))


def may_be_since(at: str, start: str) -> bool:
    """Whether a change may be from `start` on, if the stream says `at`.

    LocalStack's table streams give whole minutes: the change may be anywhere in such a one.
    """
    return at >= start or (at.endswith(WHOLE_MINUTE) and start.startswith(at[: -len(WHOLE_MINUTE)]))
