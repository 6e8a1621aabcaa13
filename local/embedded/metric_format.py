"""The embedded metric format: metrics in a log event, as CloudWatch extracts them on AWS.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

Metric = tuple[str, dict[str, Any]]
"""A namespace, and a datum in it as PutMetricData takes it."""

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError)


def embedded_metrics(message: str) -> Iterator[Metric]:
    """Yield the metrics in the message of a log event.

    A metric without numbers or dimensions is left out. What does not follow the specification is no
    error: it ends the metrics.
    """
    try:
        document = json.loads(message, parse_int=float)
        at = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names, metric in product(directive["Dimensions"], directive["Metrics"]):
                value = document.get(metric["Name"])
                datum = {
                    "MetricName": metric["Name"],
                    "Unit": metric.get("Unit", "None"),
                    "Values": value if isinstance(value, list) else [value],
                    "Dimensions": [{"Name": n, "Value": document.get(n)} for n in names],
                    "Timestamp": at,
                }
                if _is_valid(directive["Namespace"], datum):
                    yield directive["Namespace"], datum
    except (*MALFORMED, RecursionError):
        return


def _is_valid(namespace: object, datum: dict[str, Any]) -> bool:
    values = datum["Values"]
    texts = [namespace, datum["Unit"], *(dimension["Value"] for dimension in datum["Dimensions"])]
    return (
        all(isinstance(text, str) and text for text in texts)
        and values != []
        and all(isinstance(value, float) and math.isfinite(value) for value in values)
    )
