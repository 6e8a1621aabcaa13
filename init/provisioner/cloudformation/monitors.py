"""What watches: alarms and the dashboard, in the words of CloudFormation."""

from __future__ import annotations

import json

from provisioner.cloudformation.bodies import Entries, body
from provisioner.cloudformation.references import References, pascal, substituted
from provisioner.monitors import Alarm, Dashboard
from provisioner.tags import as_list


def alarm(alarm: Alarm, references: References) -> Entries:
    name, value = alarm.metric.dimension
    yield (
        pascal(f"{alarm.about} alarm"),
        body(
            "AWS::CloudWatch::Alarm",
            {
                "AlarmName": alarm.name,
                "AlarmDescription": alarm.description,
                "AlarmActions": [references.arn(alarm.action)],
                "Namespace": alarm.metric.namespace,
                "MetricName": alarm.metric.name,
                "Dimensions": [{"Name": name, "Value": value}],
                "Statistic": alarm.statistic,
                "Period": alarm.period_seconds,
                "EvaluationPeriods": alarm.periods,
                "DatapointsToAlarm": alarm.breaching,
                "Threshold": alarm.threshold,
                "ComparisonOperator": alarm.comparison,
                "TreatMissingData": alarm.missing_data,
                "Tags": as_list(alarm.tags),
            },
        ),
    )


def dashboard(dashboard: Dashboard, references: References) -> Entries:
    document = json.dumps(dashboard.noted(), sort_keys=True)
    yield (
        references.id_of(dashboard),
        body(
            "AWS::CloudWatch::Dashboard",
            {"DashboardName": dashboard.name, "DashboardBody": substituted(document)},
        ),
    )
