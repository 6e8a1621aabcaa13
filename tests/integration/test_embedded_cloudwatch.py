"""What the emulator's CloudWatch lets go of before it is saved."""

from __future__ import annotations

from typing import Any

import pytest
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch, cloudwatch_logs

from embedded.trimming import MOST_POINTS, MOST_STREAMS, OLDEST_SECONDS, trim

NOW = 1_800_000_000.0
METRIC = ("Inventory", "batch_size", "")


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "_metrics", AccountRegionScopedDict())
    monkeypatch.setattr(cloudwatch_logs, "_log_groups", AccountRegionScopedDict())


def points(*ages: float) -> list[dict[str, Any]]:
    return [{"Timestamp": NOW - age, "Value": 1.0} for age in ages]


def streams(*ages: float) -> dict[str, Any]:
    return {
        str(number): {"events": [{"timestamp": (NOW - age) * 1000, "message": "line"}]}
        for number, age in enumerate(ages)
    }


def test_data_points_of_the_last_day_stay() -> None:
    kept = points(OLDEST_SECONDS, 60, 0)
    cloudwatch._metrics[METRIC] = points(OLDEST_SECONDS + 60, OLDEST_SECONDS + 1) + kept
    trim(NOW)
    assert cloudwatch._metrics[METRIC] == kept


def test_the_newest_data_points_of_a_metric_stay() -> None:
    every = points(*range(MOST_POINTS + 10, 0, -1))
    cloudwatch._metrics[METRIC] = list(every)
    trim(NOW)
    assert cloudwatch._metrics[METRIC] == every[10:]


def test_log_streams_of_the_last_day_stay_and_of_these_the_newest() -> None:
    old = streams(OLDEST_SECONDS + 1, OLDEST_SECONDS - 1, 0)
    many = streams(*range(MOST_STREAMS + 10, 0, -1))
    cloudwatch_logs._log_groups["old"] = {"streams": dict(old)}
    cloudwatch_logs._log_groups["many"] = {"streams": dict(many)}
    trim(NOW)
    assert list(cloudwatch_logs._log_groups["old"]["streams"]) == ["1", "2"]
    assert list(cloudwatch_logs._log_groups["many"]["streams"]) == list(many)[10:]


def test_a_stream_that_has_no_lines_yet_stays() -> None:
    cloudwatch_logs._log_groups["new"] = {"streams": {"new": {"events": []}}}
    trim(NOW)
    assert list(cloudwatch_logs._log_groups["new"]["streams"]) == ["new"]
