"""Log events in the embedded metric format give the metrics that CloudWatch extracts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.metric_format import embedded_metrics

AT = 1_700_000_000_000


def document(**changes: Any) -> dict[str, Any]:
    metrics = [{"Name": "done", "Unit": "Count"}, {"Name": "took"}]
    directive = {"Namespace": "Orders", "Dimensions": [["service"]], "Metrics": metrics}
    embedded = {"Timestamp": AT, "CloudWatchMetrics": [directive]}
    return {"_aws": embedded, "service": "orders", "done": 3, "took": [1.5, 2], **changes}


def found(content: object) -> list[Any]:
    return list(embedded_metrics(json.dumps(content)))


def datum(name: str, unit: str, *values: float) -> tuple[str, dict[str, Any]]:
    dimensions = [{"Name": "service", "Value": "orders"}]
    at = datetime.fromtimestamp(AT / 1000, UTC)
    return "Orders", {
        "MetricName": name,
        "Unit": unit,
        "Values": list(values),
        "Dimensions": dimensions,
        "Timestamp": at,
    }


def test_each_metric_of_a_log_line_has_its_dimensions_and_time() -> None:
    assert found(document()) == [datum("done", "Count", 3.0), datum("took", "None", 1.5, 2.0)]


def test_each_set_of_dimensions_is_a_separate_metric() -> None:
    content = document(region="eu")
    content["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [[], ["service", "region"]]
    assert [[d["Name"] for d in datum["Dimensions"]] for _, datum in found(content)] == [
        [],
        [],
        ["service", "region"],
        ["service", "region"],
    ]


@pytest.mark.parametrize("value", ["3", None, True, [], [1, "2"], float("nan"), 10**400, {}])
def test_a_value_that_is_not_a_number_affects_no_other_metric(value: object) -> None:
    assert found(document(done=value)) == [datum("took", "None", 1.5, 2.0)]


@pytest.mark.parametrize("value", [None, 7, "", ["orders"]])
def test_a_set_of_dimensions_without_its_values_is_left_out(value: object) -> None:
    assert found(document(service=value)) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
DIRECTIVE = st.fixed_dictionaries(
    {}, optional={"Namespace": JSON | st.just("n"), "Dimensions": JSON, "Metrics": JSON}
)
EMBEDDED = st.fixed_dictionaries(
    {"Timestamp": JSON | st.just(AT), "CloudWatchMetrics": JSON | st.lists(DIRECTIVE)}
)


@given(st.text() | JSON.map(json.dumps) | EMBEDDED.map(lambda e: json.dumps({"_aws": e})))
def test_no_log_line_is_an_error(message: str) -> None:
    list(embedded_metrics(message))
