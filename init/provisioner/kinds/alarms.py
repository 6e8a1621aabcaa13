"""CloudWatch alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.decision import Observed
from provisioner.kinds.rounds import AllAtOnce
from provisioner.monitors import Alarm, Metric
from provisioner.tags import as_list, known_of_list

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


class Alarms(AllAtOnce[Alarm]):
    def __init__(self, cloudwatch: CloudWatchClient) -> None:
        self._cloudwatch = cloudwatch

    def look(self, desired: Alarm) -> Observed[Alarm]:
        found = self._cloudwatch.describe_alarms(AlarmNames=[desired.name])["MetricAlarms"]
        if not found:
            return None
        [alarm] = found
        tags = self._cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        dimensions = [(each["Name"], each["Value"]) for each in alarm.get("Dimensions", ())]
        # One that works otherwise than ours, by an expression, say, has none of these.
        first = dimensions[0] if len(dimensions) == 1 else ("", "")
        actions = alarm.get("AlarmActions", [])
        return Alarm(
            name=alarm["AlarmName"],
            arn=alarm["AlarmArn"],
            tags=known_of_list(tags),
            about=desired.about,
            description=alarm.get("AlarmDescription", ""),
            metric=Metric(alarm.get("Namespace", ""), alarm.get("MetricName", ""), first),
            statistic=alarm.get("Statistic", "SampleCount"),
            threshold=alarm.get("Threshold", -1.0),
            period_seconds=alarm.get("Period", 0),
            periods=alarm["EvaluationPeriods"],
            breaching=alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
            action=actions[0] if actions == [desired.action] else ", ".join(actions),
            comparison=alarm["ComparisonOperator"],
            missing_data=alarm.get("TreatMissingData", "missing"),
        )

    def create(self, desired: Alarm) -> None:
        name, value = desired.metric.dimension
        self._cloudwatch.put_metric_alarm(
            AlarmName=desired.name,
            AlarmDescription=desired.description,
            AlarmActions=[desired.action],
            Namespace=desired.metric.namespace,
            MetricName=desired.metric.name,
            Dimensions=[{"Name": name, "Value": value}],
            Statistic=desired.statistic,
            Period=desired.period_seconds,
            EvaluationPeriods=desired.periods,
            DatapointsToAlarm=desired.breaching,
            Threshold=desired.threshold,
            ComparisonOperator=desired.comparison,
            TreatMissingData=desired.missing_data,
            Tags=as_list(desired.tags),
        )

    def update(self, desired: Alarm, actual: Alarm) -> None:
        """The call that makes one changes it as well, but for its tags."""
        if actual.tags != desired.tags:
            self._cloudwatch.tag_resource(ResourceARN=actual.arn, Tags=as_list(desired.tags))
        self.create(desired)

    def delete(self, desired: Alarm) -> None:
        self._cloudwatch.delete_alarms(AlarmNames=[desired.name])
