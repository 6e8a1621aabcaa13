"""Times as they are shown: in UTC everywhere, as in the command line and the logs."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def clock_time(seconds: float, now: float | None = None) -> str:
    """The time of day, after the date if that is not today's."""
    at = datetime.fromtimestamp(seconds, UTC)
    today = datetime.fromtimestamp(time.time() if now is None else now, UTC).date()
    return at.strftime("%H:%M:%S" if at.date() == today else "%Y-%m-%d %H:%M:%S")
