"""The embedded metric format: metrics in a log event, as CloudWatch extracts them on AWS.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

Metric = tuple[str, dict[str, Any]]
"""A namespace, and a datum in it as PutMetricData takes it."""

T = TypeVar("T")

MAX_DIMENSIONS = 30
MAX_VALUES = 100


def embedded_metrics(message: str) -> Iterator[Metric]:
    """Yield the metrics in the message of a log event.

    A part that does not follow the specification gives no metric and no error, as in CloudWatch.
    """
    try:
        document = json.loads(message, parse_int=float)
        at = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, LookupError, TypeError, OverflowError, OSError, RecursionError):
        return
    for directive in _elements(dict, directives):
        namespace = directive.get("Namespace")
        if not (isinstance(namespace, str) and namespace):
            continue
        for names in _elements(list, directive.get("Dimensions")):
            dimensions = _dimensions(names, document)
            for definition in _elements(dict, directive.get("Metrics")):
                datum = _datum(definition, document)
                if datum is not None and dimensions is not None:
                    yield namespace, {**datum, "Dimensions": dimensions, "Timestamp": at}


def _dimensions(names: list[Any], document: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the dimensions with their values; None if the document lacks a value."""
    values = [document.get(name) if isinstance(name, str) else None for name in names]
    if len(names) > MAX_DIMENSIONS or not all(isinstance(v, str) and v for v in values):
        return None
    return [{"Name": n, "Value": v} for n, v in zip(names, values, strict=True)]


def _datum(definition: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any] | None:
    name, unit = definition.get("Name"), definition.get("Unit", "None")
    if not (isinstance(name, str) and name and isinstance(unit, str)):
        return None
    found = document.get(name)
    values = found if isinstance(found, list) else [found]
    if not (1 <= len(values) <= MAX_VALUES and all(map(_is_number, values))):
        return None
    return {"MetricName": name, "Unit": unit, "Values": values}


def _is_number(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _elements(kind: type[T], value: object) -> list[T]:
    """Return the elements of this type; none if the value is not a list."""
    return [v for v in value if isinstance(v, kind)] if isinstance(value, list) else []
