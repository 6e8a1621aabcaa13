"""What sets an alarm off, and what the dashboard shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hostile_events import flat
from provisioner import Names, Options
from provisioner.account import Account
from provisioner.description import description
from provisioner.monitoring import NAMESPACE
from provisioner.monitors import Alarm, Dashboard, Metric
from unit.inventory.test_fuzz_function import World
from unit.inventory.test_processor import added

ACCOUNT = Account("123456789012", "eu-west-1")


def alarms(options: Options | None = None) -> dict[str, Alarm]:
    made = description(Names(), options or Options(), ACCOUNT, "sha")
    return {each.name: each for each in made if isinstance(each, Alarm)}


def dashboard() -> Any:
    made = description(Names(), Options(), ACCOUNT, "sha")
    [found] = [each for each in made if isinstance(each, Dashboard)]
    return json.loads(found.body.to_json())


def on_the_dashboard() -> Iterator[Metric]:
    for widget in dashboard()["widgets"]:
        for namespace, name, dimension, value, _ in widget["properties"]["metrics"]:
            yield Metric(namespace, name, (dimension, value))


def test_what_is_watched_of_the_function_is_what_it_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.call([flat(1, added(1).payload())])
    document = json.loads(world.metrics.getvalue())
    [told] = document["_aws"]["CloudWatchMetrics"]
    assert told["Namespace"] == NAMESPACE
    assert told["Dimensions"] == [["service"]]
    reported = {metric["Name"] for metric in told["Metrics"]}
    watched = {*on_the_dashboard(), *(alarm.metric for alarm in alarms().values())}
    ours = {metric for metric in watched if metric.namespace == NAMESPACE}
    assert {metric.name for metric in ours} <= reported
    assert {metric.dimension for metric in ours} == {("service", "inventory-processor")}


def test_every_alarm_tells_people() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:inventory-failures"
    assert {alarm.action for alarm in alarms().values()} == {topic}
    assert all(alarm.breaching <= alarm.periods for alarm in alarms().values())


def test_thresholds_are_those_of_the_options() -> None:
    told = alarms(Options(lag_alarm_seconds=7, rejected_share_alarm_percent=3))
    assert told["inventory-lag"].threshold == 7
    assert told["inventory-rejected-share"].threshold == 3


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    places = [(w["x"], w["y"], w["width"], w["height"]) for w in dashboard()["widgets"]]
    squares = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]
    assert len(set(squares)) == len(squares)
    assert all(x + w <= 24 for x, _, w, _ in places)
