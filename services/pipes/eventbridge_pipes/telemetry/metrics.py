"""What happened, as the metrics that AWS's Pipes put to CloudWatch.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from eventbridge_pipes.telemetry.endings import Ending
from eventbridge_pipes.telemetry.tally import Activity, Statistics
from eventbridge_pipes.telemetry.watch import Stage, Step

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

NAMESPACE = "AWS/EventBridge/Pipes"

_STAGE_METRICS = {
    Stage.ENRICHMENT: (Step.STAGE_FAILED,),
    Stage.TARGET: (Step.STAGE_FAILED, Step.STAGE_PARTIALLY_FAILED, Step.STAGE_SKIPPED),
}


def pipe_metrics(name: str, activity: Activity, now: datetime) -> list[MetricDatumTypeDef]:
    """The metrics of one pipe; none when it did nothing.

    Those that count failures are 0 when there were none, and their average is their share.
    """
    executions = activity.endings.total()
    if not executions:
        return []
    series = _Series({"Name": "PipeName", "Value": name}, now)
    return [
        series.counted("Invocations", executions, executions),
        series.of("Duration", activity.duration, "Milliseconds", scale=1000),
        series.of("EventCount", activity.records),
        series.of("EventSize", activity.size, "Bytes"),
        *(
            series.counted(f"Execution{how}", activity.endings[how], executions)
            for how in Ending
            if how is not Ending.SUCCEEDED
        ),
        *(datum for stage in Stage for datum in _stage_metrics(stage, activity, series)),
    ]


def account_metrics(
    account: str, activities: Iterable[Activity], concurrency: Statistics, now: datetime
) -> list[MetricDatumTypeDef]:
    """The metrics of all pipes together; none when none of them did anything."""
    endings: Counter[Ending] = Counter()
    for activity in activities:
        endings += activity.endings
    executions = endings.total()
    series = _Series({"Name": "AwsAccountId", "Value": account}, now)
    metrics = [series.of("Concurrency", concurrency)] if concurrency.count else []
    if executions:
        metrics += [
            series.counted("Invocations", executions, executions),
            series.counted("ExecutionThrottled", endings[Ending.THROTTLED], executions),
        ]
    return metrics


def _stage_metrics(
    stage: Stage, activity: Activity, series: _Series
) -> Iterator[MetricDatumTypeDef]:
    passed = sum(count for (of, _), count in activity.stage_ends.items() if of is stage)
    if not passed:
        return
    if activity.stage_durations[stage].count:
        durations = activity.stage_durations[stage]
        yield series.of(f"{stage}StageDuration", durations, "Milliseconds", scale=1000)
    for step in _STAGE_METRICS[stage]:
        unit: StandardUnitType = "Count" if step is Step.STAGE_SKIPPED else "None"
        yield series.counted(f"{stage}{step}", activity.stage_ends[stage, step], passed, unit)


class _Series:
    """Makes the data of one dimension at one time."""

    def __init__(self, dimension: DimensionTypeDef, now: datetime) -> None:
        self._dimension = dimension
        self._now = now

    def of(
        self, name: str, seen: Statistics, unit: StandardUnitType = "None", scale: float = 1
    ) -> MetricDatumTypeDef:
        return {
            "MetricName": name,
            "Dimensions": [self._dimension],
            "Timestamp": self._now,
            "Unit": unit,
            "StatisticValues": {
                "SampleCount": seen.count,
                "Sum": seen.total * scale,
                "Minimum": seen.smallest * scale,
                "Maximum": seen.largest * scale,
            },
        }

    def counted(
        self, name: str, count: int, among: int, unit: StandardUnitType = "None"
    ) -> MetricDatumTypeDef:
        """1 for each of `count`, 0 for the others `among` which they are."""
        smallest, largest = float(count == among), float(count > 0)
        return self.of(name, Statistics(among, float(count), smallest, largest), unit)
