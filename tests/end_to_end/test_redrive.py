"""Failed events are seen, mended and put back, on the servers of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from click.testing import CliRunner, Result

from inventory.stock import Row
from inventory_cli.cli import cli
from operations.queue import Queue, ReceivedMessage
from operations.redrive.failed_event import name_of
from stack import Stack
from waiting import eventually


def event(event_type: str, event_id: str | None = None, **product: object) -> bytes:
    document: dict[str, object] = {"event_type": event_type, "product": product}
    return json.dumps(document | ({"event_id": event_id} if event_id else {})).encode()


def added(product_id: str, quantity: object, event_id: str | None = None) -> bytes:
    return event(
        "product_added", event_id, product_id=product_id, product_name="N", quantity=quantity
    )


def moved(product_id: str, change: object, event_id: str | None = None) -> bytes:
    return event(
        "product_quantity_changed", event_id, product_id=product_id, quantity_change=change
    )


def inventory(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def listed(command: str) -> list[dict[str, Any]]:
    result = inventory(command, "--output", "jsonl")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def await_listed(command: str, count: int) -> list[dict[str, Any]]:
    def enough() -> list[dict[str, Any]]:
        found = listed(command)
        assert len(found) == count, found
        return found

    return eventually(enough, timeout=60)


def handle(stack: Stack, *payloads: tuple[str, bytes]) -> list[tuple[str, int, bytes]]:
    placed = stack.put(payloads)
    stack.await_handled(placed)
    return placed


def await_row(stack: Stack, product_id: str, holds: Callable[[Row], bool]) -> Row:
    def row() -> Row | None:
        found = stack.rows().get(product_id)
        return found if found is not None and holds(found) else None

    found = eventually(row, timeout=60)
    assert found is not None
    return found


def dead_letter(stack: Stack, placed: list[tuple[str, int, bytes]]) -> None:
    """The message of a pipe that has given up on these records, which are neighbours."""
    shard_id, first, _ = placed[0]
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {
        "context": {
            "partnerResourceArn": "arn:aws:pipes:us-east-1:000000000000:pipe/inventory-pipe",
            "condition": "RetryAttemptsExhausted",
        },
        "version": "1.0",
        "timestamp": now,
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": str(first),
            "endSequenceNumber": str(placed[-1][1]),
            "approximateArrivalOfFirstRecord": now,
            "approximateArrivalOfLastRecord": now,
            "batchSize": len(placed),
            "streamArn": f"arn:aws:kinesis:us-east-1:000000000000:stream/{stack.names.stream}",
        },
    }
    url = stack.clients.sqs.get_queue_url(QueueName=stack.names.dead_letter_queue)["QueueUrl"]
    stack.clients.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))


def test_a_rejected_event_is_seen_edited_and_put_back(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad, broken = added("P1", "many"), added("P2", 7)[:-1]
    placed = handle(stack, ("P1", bad), ("P2", broken), ("P3", moved("P3", 1)))
    items = await_listed("rejected", 2)
    assert {i["payload"] for i in items} == {bad.decode(), broken.decode()}
    assert {i["id"] for i in items} == {name_of(s, n) for s, n, _ in placed[:2]}
    text = inventory("rejected", "--output", "text").output
    assert "product.quantity must be a whole number" in text
    assert "Events listed: 2" in text

    none = inventory("redrive", "--product", "P9", "--dry-run", "--from", "rejected")
    assert none.exit_code == 0
    assert "Nothing to send: no failed event matches.\n" in none.output
    url = stack.clients.sqs.get_queue_url(QueueName=stack.names.rejected_queue)["QueueUrl"]
    received = stack.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    hidden = inventory("redrive", "--all", "--dry-run", "--from", "rejected")
    assert f"{len(received)} more message" in hidden.output
    assert "hidden for now, because another program received" in hidden.output
    checked = inventory("verify", "--wait", "0")
    assert (checked.exit_code, hidden.output.splitlines()[0] in checked.output) == (1, True)
    for message in received:
        stack.clients.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    unchanged = inventory("redrive", "--all", "--yes", "--from", "rejected")
    assert unchanged.exit_code == 0
    assert "Nothing to send" in unchanged.output

    # Each of the two edits mends one of the payloads.
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i -e \'s/"many"/5/\' -e "s/7}$/7}}/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    result = inventory("redrive", "--all", "--edit", "--yes")
    assert result.exit_code == 0, result.output
    assert "2 sent" in result.output
    assert await_row(stack, "P1", lambda row: True).quantity == 5
    row = await_row(stack, "P2", lambda row: True)
    assert row.quantity == 7
    shard, number, _ = placed[1]
    assert row.recent_event_ids == (f"redrive-{shard}-{number}",)
    none = inventory("rejected", "--output", "jsonl")
    assert none.stdout == ""
    assert none.stderr.endswith("\nEvents listed: 0\n")


def test_an_event_under_another_key_is_rejected_and_put_back_under_its_product_id(
    stack: Stack,
) -> None:
    handle(
        stack,
        ("P1", added("P1", 10)),
        ("another", moved("P1", -2, "E2")),
        ("another", added("P1", 99)),
    )
    items = await_listed("rejected", 2)
    assert {item["reason"] for item in items} == {"partition_key is not the product id"}
    assert stack.rows()["P1"].quantity == 10
    result = inventory("redrive", "--all", "--yes")
    assert result.exit_code == 0, result.output
    assert "of unknown order" in result.output
    await_row(stack, "P1", lambda row: row.quantity == 8)
    again = max(stack.stream(), key=lambda record: record.arrived_at)
    assert (again.partition_key, len(listed("rejected"))) == ("P1", 1)
    checked = inventory("verify")
    assert checked.exit_code == 0, checked.output
    assert "rejected            2, 1 of them sent again since" in checked.output


def test_an_edit_that_is_still_invalid_is_left_and_said_in_a_line(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle(stack, ("P1", added("P1", "many")))
    await_listed("rejected", 1)
    monkeypatch.setenv("VISUAL", "sed -i s/many/few/")
    result = inventory("redrive", "--all", "--edit", "--yes")
    assert result.exit_code == 2
    assert "rejected (product.quantity must be" in result.output
    assert len(listed("rejected")) == 1


def test_interrupted_between_put_and_delete_and_run_again_it_is_applied_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle(stack, ("P1", added("P1", 3)), ("P1", moved("P1", -5)))
    (item,) = await_listed("rejected", 1)
    # Somebody has corrected the row by hand: now there is enough.
    stack.clients.dynamodb.update_item(
        TableName=stack.names.table,
        Key={"product_id": {"S": "P1"}},
        UpdateExpression="SET quantity = :q",
        ExpressionAttributeValues={":q": {"N": "7"}},
    )
    delete = Queue.delete

    def fails(queue: Queue, message: ReceivedMessage) -> None:
        monkeypatch.setattr(Queue, "delete", delete)
        raise EndpointConnectionError(endpoint_url="http://the-queue")

    monkeypatch.setattr(Queue, "delete", fails)
    first = inventory("redrive", item["id"], "--yes")
    assert first.exit_code == 1
    assert "1 sent, then: " in first.output
    assert "run it again" in first.output
    assert len(listed("rejected")) == 1
    await_row(stack, "P1", lambda row: row.quantity == 2)

    again = inventory("redrive", item["id"], "--yes")
    assert again.exit_code == 0, again.output
    assert "already applied" in again.output
    assert "0 sent" in again.output
    assert listed("rejected") == []
    last = handle(stack, ("P1", moved("P1", 1)))
    assert stack.rows()["P1"].quantity == 3
    assert len(stack.stream()) == 2 + 1 + len(last)


def test_a_dead_letter_is_listed_with_its_payloads_and_put_back(stack: Stack) -> None:
    placed = handle(stack, ("P1", added("P1", 10, "E1")), ("P1", moved("P1", -2)))
    # As if the function had never got that far.
    stack.clients.dynamodb.delete_item(TableName=stack.names.table, Key={"product_id": {"S": "P1"}})
    dead_letter(stack, placed)
    items = listed("dead-letters")
    assert [i["payload"] for i in items] == [data.decode() for _, _, data in placed]
    assert {i["reason"] for i in items} == {"RetryAttemptsExhausted"}
    assert [i["product_id"] for i in items] == ["P1", "P1"]

    dry = inventory("redrive", "--all", "--dry-run")
    assert dry.exit_code == 0
    assert "a new row, N, quantity 10" in dry.output
    assert "quantity 10 → 8" in dry.output
    assert len(listed("dead-letters")) == 2

    one = inventory("redrive", items[0]["id"], "--dry-run")
    assert "A message stays in the dead-letter queue" in one.output
    refused = inventory("redrive", "--all")
    assert refused.exit_code == 2
    assert "--yes" in refused.output

    result = inventory("redrive", "--all", "--from", "dead-letters", "--yes")
    assert result.exit_code == 0, result.output
    assert listed("dead-letters") == []
    row = await_row(stack, "P1", lambda row: row.quantity == 8)
    shard, number, _ = placed[1]
    assert row.recent_event_ids == ("E1", f"redrive-{shard}-{number}")


def test_a_superseded_event_is_skipped_and_stays(stack: Stack) -> None:
    placed = handle(stack, ("P1", added("P1", 10)), ("P1", moved("P1", -2)))
    gone = handle(stack, ("P3", added("P3", 1)), ("P3", event("product_removed", product_id="P3")))
    handle(stack, ("P2", added("P2", "many")))
    dead_letter(stack, placed[:1])
    dead_letter(stack, gone[:1])
    for product in ("P1", "P3"):
        result = inventory("redrive", "--product", product, "--yes")
        assert result.exit_code == 0, result.output
        assert "superseded" in result.output
        assert "Nothing to send" in result.output
    assert len(listed("dead-letters")) == 2
    assert stack.rows()["P1"].quantity == 8
    assert "P3" not in stack.rows()


def test_a_dead_letter_whose_records_are_gone_says_so_and_stays(stack: Stack) -> None:
    dead_letter(stack, [("shardId-000000000099", 1, b""), ("shardId-000000000099", 2, b"")])
    (item,) = listed("dead-letters")
    assert item["id"] == "99-1"
    assert item["payload"] is None
    assert "no longer on the stream" in item["lost"]
    result = inventory("redrive", "--all", "--yes")
    assert "lost" in result.output
    assert result.exit_code == 0
    assert len(listed("dead-letters")) == 1


def test_what_cannot_be_begun_is_a_line(stack: Stack) -> None:
    for arguments, words in (
        (["redrive"], "Choose the events: give IDs, --product, --reason or --all."),
        (["redrive", "--all", "0-1", "--yes"], "Give IDs or --all, not both."),
        (
            ["redrive", "0-1", "--yes"],
            "No such ID: 0-1. To list the IDs, run `inventory rejected`",
        ),
    ):
        result = inventory(*arguments)
        assert result.exit_code == 2
        assert words in result.output


def test_without_the_queues_it_says_what_makes_them(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "nobody-made-this")
    for command in ("rejected", "redrive", "verify"):
        result = inventory(command, *(["--all", "--yes"] if command == "redrive" else []))
        assert result.exit_code == 2
        assert "To create what is missing, run `inventory deploy`." in result.output
