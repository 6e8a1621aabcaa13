"""Times as they are shown."""

from __future__ import annotations

from datetime import datetime


def clock_time(seconds: float) -> str:
    """The local time of day of the server."""
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S")
