"""The kinds of resources by which people watch the pipeline: alarms, and a dashboard, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.resources import Resource

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.literals import ComparisonOperatorType, StatisticType


@dataclass(frozen=True)
class Metric:
    """A metric of CloudWatch's, and the one dimension that tells whose it is."""

    namespace: str
    name: str
    dimension: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Alarm(Resource):
    """Goes off when the metric is above the threshold in `breaching` of `periods` periods.

    Minutes without data count as good: nothing is reported where nothing happens.
    """

    kind = "alarm"
    stage = 6
    about: str
    """What its name ends with."""
    description: str
    metric: Metric
    statistic: StatisticType
    threshold: float
    period_seconds: int = 60
    periods: int
    breaching: int
    action: str
    comparison: ComparisonOperatorType = "GreaterThanThreshold"
    missing_data: str = "notBreaching"


@dataclass(frozen=True, eq=False)
class Body:
    """What a dashboard shows. Two are equal when they mean the same, however they are written.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """

    document: Mapping[str, Any]

    def to_json(self) -> str:
        return json.dumps(self.document, sort_keys=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())


NOTE_HEIGHT = 1


@dataclass(frozen=True, kw_only=True)
class Dashboard(Resource):
    """CloudWatch's dashboards take no tags: they are in a note above its widgets, on line
    NOTE_HEIGHT and before, which is not part of `body`."""

    kind = "dashboard"
    stage = 6
    body: Body

    def noted(self) -> Mapping[str, Any]:
        """What it shows, the note included."""
        document = self.body.document
        return {**document, "widgets": [_note(self.tags), *document["widgets"]]}

    @staticmethod
    def read(document: Mapping[str, Any]) -> tuple[Mapping[str, str], Body]:
        """The tags that the note names, none where there is no note of ours, and the rest."""
        widgets = document.get("widgets", [])
        tags = _noted(widgets[0]) if widgets else {}
        return tags, Body({**document, "widgets": widgets[1:]} if tags else document)


_NOTE = "Made by `inventory provision`: "


def _note(tags: Mapping[str, str]) -> dict[str, Any]:
    said = ", ".join(f"{key}={value}" for key, value in tags.items())
    text = {"markdown": f"{_NOTE}{said}", "background": "transparent"}
    place = {"x": 0, "y": 0, "width": 24, "height": NOTE_HEIGHT}
    return {"type": "text", **place, "properties": text}


def _noted(widget: Mapping[str, Any]) -> dict[str, str]:
    text = str(widget.get("properties", {}).get("markdown", ""))
    if not text.startswith(_NOTE):
        return {}
    pairs = (pair.partition("=") for pair in text.removeprefix(_NOTE).split(", "))
    return {key: value for key, _, value in pairs}
