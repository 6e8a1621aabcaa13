"""What functions embed in their logs becomes metrics, once, as CloudWatch makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.telemetry.embedded_metrics import embedded_metrics
from eventbridge_pipes.telemetry.function_logs import LATE_MILLISECONDS, FunctionLogs

AT = 1_700_000_000_000
GROUP = "/aws/lambda/orders"


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


def test_each_metric_of_a_line_is_one_with_its_dimensions_and_its_time() -> None:
    assert found(document()) == [datum("done", "Count", 3.0), datum("took", "None", 1.5, 2.0)]


def test_each_set_of_dimensions_is_a_metric_of_its_own() -> None:
    content = document(region="eu")
    content["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [[], ["service", "region"]]
    assert [[d["Name"] for d in datum["Dimensions"]] for _, datum in found(content)] == [
        [],
        [],
        ["service", "region"],
        ["service", "region"],
    ]


@pytest.mark.parametrize("value", ["3", None, True, [], [1, "2"], float("nan"), 10**400, {}])
def test_what_is_no_number_is_no_metric_and_spoils_no_other(value: object) -> None:
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
def test_whatever_a_function_logs_is_no_error(message: str) -> None:
    list(embedded_metrics(message))


@pytest.fixture
def logs() -> Iterator[Stubber]:
    """CloudWatch Logs that answers what a test says."""
    client = boto3.client(
        "logs",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def following(logs: Stubber) -> FunctionLogs:
    client: Any = logs.client
    return FunctionLogs(client, "/aws/lambda/", AT / 1000)


def groups(logs: Stubber, *names: str) -> None:
    found = {"logGroups": [{"logGroupName": name} for name in names]}
    logs.add_response("describe_log_groups", found, {"logGroupNamePrefix": "/aws/lambda/"})


def events(logs: Stubber, *answered: dict[str, Any], start: int, group: str = GROUP) -> None:
    asked = {"logGroupName": group, "startTime": start, "filterPattern": '"CloudWatchMetrics"'}
    logs.add_response("filter_log_events", {"events": list(answered)}, asked)


def event(at: int, stream: str = "one") -> dict[str, Any]:
    return {"timestamp": at, "message": json.dumps(document()), "logStreamName": stream}


def test_a_line_counts_once_and_one_that_comes_late_counts_too(logs: Stubber) -> None:
    first, late = event(AT + 60_000), event(AT + 59_000, "two")
    start = AT + 60_000 - LATE_MILLISECONDS
    for answered, since in (([first], AT), ([late, first], start), ([late, first], start)):
        groups(logs, GROUP)
        events(logs, *answered, start=since)
    followed = following(logs)
    assert [len(followed.collect()) for _ in range(3)] == [2, 2, 0]


def test_after_a_failure_nothing_is_missing(logs: Stubber) -> None:
    groups(logs, GROUP, f"{GROUP}-2")
    events(logs, event(AT), start=AT)
    logs.add_client_error("filter_log_events", "ServiceUnavailableException")
    groups(logs, GROUP)
    events(logs, event(AT), start=AT)
    followed = following(logs)
    with pytest.raises(ClientError):
        followed.collect()
    assert len(followed.collect()) == 2


def test_a_group_that_is_deleted_meanwhile_is_no_failure(logs: Stubber) -> None:
    groups(logs, GROUP)
    logs.add_client_error("filter_log_events", "ResourceNotFoundException")
    assert following(logs).collect() == []
