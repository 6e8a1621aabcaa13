"""The metrics that AWS's Pipes put to CloudWatch.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef, StatisticSetTypeDef

NAMESPACE = "AWS/EventBridge/Pipes"

DATA_PER_CALL = 500
"""Half of what PutMetricData takes, for its limit of 1 MB holds before compression."""

LONGEST_PAUSE = 600.0

_UNITS: Mapping[str, StandardUnitType] = {"EventSize": "Bytes", "TargetStageSkipped": "Count"}
"""Durations are in milliseconds; the other metrics have no unit, as on AWS."""


class Statistics:
    """The values of a pipe's or an account's metrics since they were last taken.

    A metric that counts failures has the value 1 for each execution that failed and 0 for each
    other one: its sum is their number, and its average is their share.
    """

    def __init__(self, dimension: str, value: str) -> None:
        self._dimension = dimension
        self._value = value
        self._lock = threading.Lock()
        self._in_flight = 0
        self._sets: dict[str, StatisticSetTypeDef] = {}

    def begun(self) -> None:
        """Count an execution that begins, for the metric of how many run at once."""
        with self._lock:
            self._in_flight += 1
            concurrency = self._in_flight
        self.add({"Concurrency": concurrency})

    def ended(self, values: Mapping[str, float]) -> None:
        """Count an execution that has ended, and add its values."""
        with self._lock:
            self._in_flight -= 1
        self.add(values)

    def add(self, values: Mapping[str, float]) -> None:
        """Add a value to each of these metrics."""
        with self._lock:
            sets = self._sets
            for name, value in values.items():
                if name not in sets:
                    sets[name] = {"SampleCount": 0, "Sum": 0, "Minimum": inf, "Maximum": -inf}
                statistics = sets[name]
                statistics["SampleCount"] += 1
                statistics["Sum"] += value
                if value < statistics["Minimum"]:
                    statistics["Minimum"] = value
                if value > statistics["Maximum"]:
                    statistics["Maximum"] = value

    def take(self, now: datetime) -> list[MetricDatumTypeDef]:
        """Return the metrics since the last call: none if nothing happened."""
        with self._lock:
            sets, self._sets = self._sets, {}
        return [
            {
                "MetricName": name,
                "Dimensions": [{"Name": self._dimension, "Value": self._value}],
                "Timestamp": now,
                "Unit": "Milliseconds" if name.endswith("Duration") else _UNITS.get(name, "None"),
                "StatisticValues": values,
            }
            for name, values in sets.items()
        ]


def pause_after(failures: int, interval: float) -> float:
    """Return the seconds until the next try: doubling with each failure, up to ten minutes."""
    return max(interval, min(LONGEST_PAUSE, interval * 2.0 ** min(failures, 16)))
