"""`inventory audit` on a live stack: every change once, however often it is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inventory.event import InvalidEventError, parse
from inventory.stock import Row, apply
from inventory_cli.cli import cli
from operations.table import values
from producer.generator import Spec, events
from stack import Stack
from waiting import eventually

EVENTS = 750
PART = 250


@pytest.fixture(autouse=True)
def _follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of `stack` lead to its servers, as those of an account would."""
    monkeypatch.setenv("TARGET", "aws")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def audit(log: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["audit", "--log", str(log), *arguments])
    assert result.exit_code == 0, result.output
    return result


@contextmanager
def following(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`inventory audit --follow`, killed at the end."""
    program = [sys.executable, "-m", "inventory_cli", "audit", "--follow", "--log", str(log)]
    with log.with_suffix(".output").open("ab") as output:
        process = subprocess.Popen(program, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def on_the_stream(stack: Stack) -> list[str]:
    """The sequence numbers of all changes on the table's stream, read without our own reader."""
    client = stack.session.client("dynamodbstreams")
    arn = client.list_streams(TableName=stack.names.table)["Streams"][0]["StreamArn"]
    numbers: list[str] = []
    for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while (answer := client.get_records(ShardIterator=iterator))["Records"]:
            numbers += [record["dynamodb"]["SequenceNumber"] for record in answer["Records"]]
            iterator = answer.get("NextShardIterator", "")
    return numbers


def histories(placed: list[tuple[str, int, bytes]]) -> dict[str, list[Row | None]]:
    """The row of each product before its first event, which is none, and after each event."""
    found: dict[str, list[Row | None]] = defaultdict(lambda: [None])
    for _, number, data in sorted(placed, key=lambda record: record[1]):
        try:
            event = parse(data, number)
        except InvalidEventError:
            continue
        history = found[event.product_id]
        history.append(apply(history[-1], event).row)
    return found


def image(row: Row | None) -> dict[str, Any] | None:
    return (
        None if row is None else {**values(row), "sequence_number": f"{row.sequence_number:056d}"}
    )


@pytest.mark.timeout(300)
def test_the_log_of_a_killed_program_is_complete_in_order_and_without_repeats(
    own_stack: Stack, log: Path
) -> None:
    placed = []
    spec = Spec(seed=31, products=50, invalid_share=0.02)
    payloads = [(e.partition_key, e.payload) for e in islice(events(spec), EVENTS)]
    for start in range(0, EVENTS, PART):
        with following(log):
            before = size(log)
            placed += own_stack.put(payloads[start : start + PART])
            eventually(lambda before=before: size(log) > before, timeout=60)  # type: ignore[misc]
    own_stack.await_handled(placed)

    lines = audit(log, "--output", "jsonl").stdout.splitlines()
    assert lines == log.read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    numbers = [entry["sequence_number"] for entry in entries]
    assert len(set(numbers)) == len(numbers), "no change twice"
    assert sorted(numbers) == sorted(on_the_stream(own_stack)), "none is missing"

    rows: dict[str, Any] = {}
    after_events = histories(placed)
    position: dict[str, int] = defaultdict(int)
    for entry in entries:
        product = entry["product_id"]
        assert entry["before"] == rows.get(product), "it begins where the last one ended"
        assert not entry["gap"]
        rows[product] = entry["after"]
        steps = [image(row) for row in after_events[product]]
        # The events of a batch are one change: it skips steps, and never goes back.
        position[product] = steps.index(entry["after"], position[product] + 1)
    final = {product: image(row) for product, row in own_stack.rows().items()}
    assert {product: row for product, row in rows.items() if row is not None} == final
    assert final == {p: image(steps[-1]) for p, steps in after_events.items() if steps[-1]}


def test_the_log_says_which_event_changed_which_product_and_how(
    own_stack: Stack, log: Path
) -> None:
    def event(event_type: str, event_id: str, **product: object) -> tuple[str, bytes]:
        content = {"event_type": event_type, "event_id": event_id, "product": product}
        return str(product["product_id"]), json.dumps(content).encode()

    evil = "\x1b[31m<b>"
    for payload in (
        event("product_added", "e1", product_id="P1", product_name=evil, quantity=5),
        event("product_added", "e2", product_id="P2", product_name="Desk", quantity=1),
        event("product_quantity_changed", "e3", product_id="P1", quantity_change=-2),
        event("product_removed", "e4", product_id="P1"),
    ):
        own_stack.await_handled(own_stack.put([payload]))
    own_stack.clients.dynamodb.update_item(
        TableName=own_stack.names.table,
        Key={"product_id": {"S": "P2"}},
        UpdateExpression="SET quantity = :nine",
        ExpressionAttributeValues={":nine": {"N": "9"}},
    )
    assert audit(log, "--output", "text").stdout.count("\n") == 5
    lines = audit(log, "--output", "text", "--product", "P1").stdout.splitlines()
    assert [line.split("  ", 2)[2] for line in lines] == [
        "added: product_name '\\x1b[31m<b>', quantity 5, timestamp 'N/A'  (product_added e1)",
        "quantity: quantity 5 → 3  (product_quantity_changed e3)",
        "removed: product_name '\\x1b[31m<b>', quantity 3, timestamp 'N/A'  "
        "(product_removed; a deleted row does not have its id)",
    ]
    by_hand = audit(log, "--output", "text", "--product", "P2").stdout.splitlines()[1]
    assert by_hand.endswith(
        "quantity: quantity 1 → 9  (not by an event: something else wrote the row)"
    )
    status = audit(log, "--output", "status").stdout
    assert status.count("Operation/Event --------> ") == 5
    assert status.count("Dynamodb Status before Operation....") == 1
    assert audit(log, "--since", "2100-01-01").stdout == ""


def test_a_missing_table_is_one_line_and_exit_code_2(
    stack: Stack, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE_NAME", "nowhere")
    result = CliRunner().invoke(cli, ["audit", "--log", str(log)])
    assert result.exit_code == 2
    assert "inventory deploy`." in result.output


def test_ctrl_c_ends_following_with_exit_code_0(own_stack: Stack, log: Path) -> None:
    output = log.with_suffix(".output")
    with following(log) as process:
        own_stack.clients.dynamodb.put_item(
            TableName=own_stack.names.table, Item={"product_id": {"S": "P1"}}
        )
        eventually(lambda: size(output), timeout=60)
        process.send_signal(2)
        assert process.wait(20) == 0
    assert json.loads(output.read_text())["product_id"] == "P1"
