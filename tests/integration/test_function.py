"""The function as it is deployed: its zip, called by Lambda, on a real table and topic."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy import package
from hostile_events import flat, nested_records
from inventory.items import row_of
from inventory.stock import Row
from processor.writes import Tables
from servers import AwsClient
from waiting import eventually

Invoke = Callable[[Any], Any]
Rejections = tuple[str, Callable[[], list[str]]]


@pytest.fixture
def function(aws: AwsClient, tables: Tables, rejections: Rejections, function_zip: Path) -> str:
    name = f"inventory-{uuid.uuid4().hex[:12]}"
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/function",
        Handler="processor.handler.handler",
        Code={"ZipFile": function_zip.read_bytes()},
        Timeout=30,
        Environment={
            "Variables": {
                **environment(tables, rejections[0]),
            }
        },
    )
    return name


def environment(tables: Tables, topic: str) -> dict[str, str]:
    return {
        "TABLE_NAME": tables.rows,
        "REMOVALS_TABLE_NAME": tables.removals,
        "FAILURES_TOPIC_ARN": topic,
    }


@pytest.fixture
def invoke(aws: AwsClient, function: str) -> Invoke:
    client = aws("lambda")

    def call(payload: Any) -> Any:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    return call


def added(quantity: int, product_id: str = "P1") -> bytes:
    product = {"product_id": product_id, "product_name": "Tablet", "quantity": quantity}
    return json.dumps({"event_type": "product_added", "product": product}).encode()


def rows(aws: AwsClient, table: str) -> dict[str, Row]:
    items = aws("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    return {row.product_id: row for row in map(row_of, items)}


def test_a_batch_of_a_pipe_reaches_the_table(aws: AwsClient, table: str, invoke: Invoke) -> None:
    batch = [flat(n, added(n, f"P{n}")) for n in range(1, 251)]
    assert invoke(batch) == {"batchItemFailures": []}
    assert {p: row.quantity for p, row in rows(aws, table).items()} == {
        f"P{n}": n for n in range(1, 251)
    }
    assert invoke(batch) == {"batchItemFailures": []}


def test_a_batch_of_an_event_source_mapping_reaches_the_table(
    aws: AwsClient, table: str, invoke: Invoke
) -> None:
    assert invoke(nested_records([flat(1, added(7))])) == {"batchItemFailures": []}
    assert rows(aws, table) == {"P1": Row("P1", "Tablet", 7, "N/A", 1)}


def test_a_rejected_event_is_published_with_reason_and_payload(
    invoke: Invoke, rejections: Rejections
) -> None:
    batch = [flat(n, f"{{{n}".encode()) for n in range(1, 24)]
    assert invoke(batch) == {"batchItemFailures": []}
    received: list[dict[str, Any]] = []

    def all_received() -> bool:
        received.extend(json.loads(message) for message in rejections[1]())
        return len(received) >= 23

    eventually(all_received)
    assert {r["payload"] for r in received} == {f"{{{n}" for n in range(1, 24)}
    assert {r["reason"].split(":")[0] for r in received} == {"data is not JSON"}


def test_a_rejection_that_cannot_be_published_fails(
    aws: AwsClient, tables: Tables, function: str, invoke: Invoke
) -> None:
    variables = environment(tables, "arn:aws:sns:us-east-1:000000000000:no")
    aws("lambda").update_function_configuration(
        FunctionName=function, Environment={"Variables": variables}
    )
    refused = flat(1, b"{")
    assert invoke([refused, flat(2, added(1))]) == {
        "batchItemFailures": [{"itemIdentifier": refused["eventID"]}]
    }
    assert set(rows(aws, tables.rows)) == {"P1"}


def test_an_enforced_removal_name_rejects_a_removal_under_another(
    aws: AwsClient, tables: Tables, function: str, invoke: Invoke, rejections: Rejections
) -> None:
    variables = environment(tables, rejections[0]) | {"REMOVAL_NAME_POLICY": "enforce"}
    aws("lambda").update_function_configuration(
        FunctionName=function, Environment={"Variables": variables}
    )
    product = {"product_id": "P1", "product_name": "Charger"}
    removal = json.dumps({"event_type": "product_removed", "product": product}).encode()
    assert invoke([flat(1, added(7)), flat(2, removal)]) == {"batchItemFailures": []}
    assert set(rows(aws, tables.rows)) == {"P1"}
    message = json.loads(eventually(rejections[1])[0])
    assert message["reason"] == "product.product_name is not that of the row"
    assert message["payload"] == removal.decode()


def test_a_table_that_is_gone_fails_the_records_that_need_it(
    aws: AwsClient, table: str, invoke: Invoke
) -> None:
    aws("dynamodb").delete_table(TableName=table)
    aws("dynamodb").get_waiter("table_not_exists").wait(TableName=table)
    batch = [flat(1, added(1)), flat(2, b"{")]
    assert invoke(batch) == {"batchItemFailures": [{"itemIdentifier": batch[0]["eventID"]}]}
    assert invoke(nested_records(batch)) == {
        "batchItemFailures": [{"itemIdentifier": batch[0]["sequenceNumber"]}]
    }


def test_the_log_has_one_line_a_batch_and_one_a_rejected_record_and_metrics(
    aws: AwsClient, function: str, invoke: Invoke
) -> None:
    hostile = json.dumps({"event_type": "x\n{}%s", "event_id": 'e\n"1', "product": {}}).encode()
    invoke([flat(1, added(1)), flat(2, hostile)])

    def lines() -> list[dict[str, Any]]:
        events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        return [json.loads(e["message"]) for e in events if e["message"].startswith("{")]

    batch, record, metrics = eventually(lambda: _told_apart(lines()))
    outcomes = {k: batch[k] for k in ("applied", "duplicate", "not_found", "rejected", "failed")}
    assert outcomes == {
        "applied": 1,
        "duplicate": 0,
        "not_found": 0,
        "rejected": 1,
        "failed": 0,
    }
    assert batch["shards"] == {"shardId-000000000000": [f"{1:030d}", f"{2:030d}"]}
    assert record["reason"].startswith("event_type must be one of")
    assert record["event_id"] == 'e\n"1'
    assert metrics["events_applied"] == [1]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Inventory"


def _told_apart(lines: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The line of the batch, that of the record, and the metrics; empty until all are there."""
    batch = [line for line in lines if line.get("message") == "batch"]
    record = [line for line in lines if line.get("message") == "record rejected"]
    metrics = [line for line in lines if "_aws" in line]
    return (*batch, *record, *metrics) if batch and record and metrics else ()


def test_the_zip_has_the_same_bytes_each_time(function_zip: Path, tmp_path: Path) -> None:
    again = package.build(tmp_path / "again.zip")
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (function_zip, again)}
    assert len(digests) == 1


def test_the_zip_has_everything_that_the_runtime_lacks(function_zip: Path) -> None:
    names = zipfile.ZipFile(function_zip).namelist()
    assert "inventory/inventory_event.schema.json" in names
    assert not [n for n in names if n.endswith((".so", ".pyc", ".dylib"))]
    # Without the site-packages that this test runs from: what is missing in the zip is missing.
    program = (
        "import sys, importlib.util as u; origin = u.find_spec('boto3').origin;"
        "site = origin[:origin.rindex('boto3')];"
        f"sys.path[:] = [{str(function_zip)!r}, *(p for p in sys.path if p != site)];"
        "import fastjsonschema, aws_lambda_powertools, jmespath, typing_extensions;"
        "print(fastjsonschema.__file__, aws_lambda_powertools.__file__, sep='\\n')"
    )
    shown = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert all(line.startswith(str(function_zip)) for line in shown.stdout.splitlines())
