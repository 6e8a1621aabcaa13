"""The metrics that a function embeds in its log, as CloudWatch makes them of it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

Embedded = tuple[str, "MetricDatumTypeDef"]
"""A datum, and the namespace that it belongs to."""

MAX_DIMENSIONS = 30
MAX_VALUES = 100


def embedded_metrics(message: str) -> Iterator[Embedded]:
    """Those of one log event; none if it is something else. What breaks the specification is left
    out, as CloudWatch does, which tells nobody either."""
    try:
        document = json.loads(message)
        at = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, LookupError, TypeError, OverflowError, OSError, RecursionError):
        return
    for directive in _dicts(directives):
        namespace = directive.get("Namespace")
        if not (isinstance(namespace, str) and namespace):
            continue
        for dimensions in _dimensions(directive.get("Dimensions"), document):
            for definition in _dicts(directive.get("Metrics")):
                if datum := _datum(definition, document):
                    yield namespace, {**datum, "Dimensions": dimensions, "Timestamp": at}


def _dimensions(sets: object, document: Mapping[str, Any]) -> Iterator[list[DimensionTypeDef]]:
    """Each set for which the document has all values."""
    for names in _lists(sets):
        values = [document.get(name) if isinstance(name, str) else None for name in names]
        if len(names) <= MAX_DIMENSIONS and all(isinstance(v, str) and v for v in values):
            yield [{"Name": n, "Value": str(v)} for n, v in zip(names, values, strict=True)]


def _datum(definition: Mapping[str, Any], document: Mapping[str, Any]) -> MetricDatumTypeDef | None:
    name, unit = definition.get("Name"), definition.get("Unit", "None")
    if not (isinstance(name, str) and name and isinstance(unit, str)):
        return None
    found: Any = document.get(name)
    values: list[Any] = found if isinstance(found, list) else [found]
    if not (1 <= len(values) <= MAX_VALUES and all(map(_is_number, values))):
        return None
    known: StandardUnitType = unit  # type: ignore[assignment]  # CloudWatch knows which there are
    return {"MetricName": name, "Unit": known, "Values": [float(v) for v in values]}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _dicts(value: object) -> Iterator[Mapping[str, Any]]:
    return (v for v in value if isinstance(v, dict)) if isinstance(value, list) else iter(())


def _lists(value: object) -> Iterator[list[Any]]:
    return (v for v in value if isinstance(v, list)) if isinstance(value, list) else iter(())
