"""The CloudWatch of MiniStack lets go of what is old, or too much: it keeps everything as it comes.

A function that is called once a second puts 20 data points and five lines a second there, some
400 MB a day.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

OLDEST_SECONDS = 86_400
MOST_POINTS = 5_000
"""Of a metric."""
MOST_STREAMS = 3_000
"""Of a log group: MiniStack begins one for each call of a function."""


def trim(now: float) -> None:
    """`now` is in seconds of the epoch. Both are kept in the order in which they came."""
    oldest = now - OLDEST_SECONDS
    for points in list(cloudwatch._metrics._data.values()):
        old = next((n for n, p in enumerate(points) if p["Timestamp"] >= oldest), len(points))
        del points[: max(old, len(points) - MOST_POINTS)]
    for group in list(cloudwatch_logs._log_groups._data.values()):
        streams = list(group["streams"].items())  # functions that run add to them meanwhile
        kept = [name for name, stream in streams if _last_event(stream) >= oldest * 1000]
        for name in {name for name, _ in streams} - set(kept[-MOST_STREAMS:]):
            del group["streams"][name]


def _last_event(stream: dict[str, Any]) -> float:
    events = stream["events"]
    return float(events[-1]["timestamp"]) if events else float("inf")
