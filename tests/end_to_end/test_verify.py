"""`inventory verify` on a live stack: green where the promise was kept, red where it was not."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inventory.failure_messages import parse_dead_letter, parse_rejection
from inventory_aws.stream import ShardRanges, read_all
from inventory_cli.cli import cli
from operations.queue import Queue
from producer.generator import Spec, events
from stack import Stack
from waiting import eventually


@pytest.fixture(autouse=True)
def _follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of `stack` lead to its servers, as those of an account would."""
    monkeypatch.setenv("TARGET", "aws")


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["verify", *arguments])


def put_generated(stack: Stack) -> int:
    spec = Spec(seed=5, products=30, invalid_share=0.05)
    placed = stack.put((e.partition_key, e.payload) for e in islice(events(spec), 500))
    return len(placed)


def update(stack: Stack, product_id: str, expression: str, value: Any) -> None:
    stack.clients.dynamodb.update_item(
        TableName=stack.names.table,
        Key={"product_id": {"S": product_id}},
        UpdateExpression=expression,
        ExpressionAttributeValues={":value": value},
    )


def test_it_waits_for_what_is_under_way_and_finds_all_in_its_place(stack: Stack) -> None:
    put_generated(stack)
    result = verify()
    assert result.exit_code == 0, result.output
    assert "500 on the stream" in result.output
    assert "Success: " in result.output
    assert verify("--wait", "0").exit_code == 0, "the queues can be looked at again at once"


def test_a_row_that_was_changed_behind_its_back_is_named_with_its_events(stack: Stack) -> None:
    put_generated(stack)
    assert verify().exit_code == 0
    (product_id, row), (other, _) = islice(stack.rows().items(), 2)
    update(stack, other, "SET colour = :value", {"S": "red"})
    result = verify("--wait", "2")
    assert result.exit_code == 0, result.output
    assert "Success: " in result.output
    update(stack, product_id, "SET quantity = quantity + :value", {"N": "1"})
    result = verify("--wait", "2")
    assert result.exit_code == 1, result.output
    assert f"wrong: {product_id}: the row is not what its events produce" in result.output
    assert f"quantity={row.quantity}, " in result.output
    assert f"quantity={int(row.quantity) + 1}, " in result.output
    assert str(row.sequence_number) in result.output


def test_rows_of_an_earlier_stream_are_counted_and_not_called_wrong(stack: Stack) -> None:
    product = {"product_id": "P1", "product_name": "Lamp", "quantity": 1}
    add = json.dumps({"event_type": "product_added", "product": product}).encode()
    stack.put([("P1", add), ("P2", add.replace(b"P1", b"P2"))])
    assert verify().exit_code == 0
    kinesis, name = stack.clients.kinesis, stack.names.stream
    kinesis.delete_stream(StreamName=name)
    eventually(lambda: name not in kinesis.list_streams()["StreamNames"])
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    product = {"product_id": "P1", "quantity_change": 4}
    change = {"event_type": "product_quantity_changed", "product": product}
    stack.put([("P1", json.dumps(change).encode()), ("P3", add.replace(b"P1", b"P3"))])
    eventually(
        lambda: {"P1", "P2", "P3"} == stack.rows().keys() and stack.rows()["P1"].quantity == 5
    )
    result = verify("--wait", "5")
    assert result.exit_code == 0, result.output
    assert "1 checked\n  2 not checked: the stream does not have" in result.output


def test_a_rejection_that_was_lost_is_found(stack: Stack) -> None:
    put_generated(stack)
    assert verify().exit_code == 0
    queue = Queue(stack.clients.sqs, stack.names.rejected_queue)
    lost, *others = queue.receive_all()
    queue.delete(lost)
    queue.release(others)
    rejection = parse_rejection(lost.body)
    assert rejection is not None
    result = verify("--wait", "2")
    assert result.exit_code == 1, result.output
    assert "rejected, but not in the rejected queue" in result.output
    assert str(rejection.sequence_number) in result.output


def test_what_is_dead_lettered_is_accounted_for_as_long_as_its_message_is_there(
    stack: Stack,
) -> None:
    product = {"product_id": "P1", "product_name": "Lamp", "quantity": 1}
    payload = json.dumps({"event_type": "product_added", "product": product}).encode()
    [(shard_id, number, _)] = stack.put([("P1", payload)])
    assert verify().exit_code == 0
    # As if the pipe had given the event up, and nothing had been written.
    stack.clients.dynamodb.delete_item(TableName=stack.names.table, Key={"product_id": {"S": "P1"}})
    assert verify("--wait", "2").exit_code == 1
    queue_url = stack.clients.sqs.get_queue_url(QueueName=stack.names.dead_letter_queue)["QueueUrl"]
    body = dead_letter_body(shard_id, number)
    assert parse_dead_letter(body) is not None
    stack.clients.sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    result = verify("--wait", "2")
    assert result.exit_code == 0, result.output
    assert "dead lettered       1" in result.output


def dead_letter_body(shard_id: str, number: int) -> str:
    return json.dumps(
        {
            "context": {"partnerResourceArn": "arn:pipe", "condition": "RetryAttemptsExhausted"},
            "version": "1.0",
            "timestamp": "2023-07-22T08:15:40.250Z",
            "KinesisBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": str(number),
                "endSequenceNumber": str(number),
                "approximateArrivalOfFirstRecord": "2023-07-22T08:15:33.000Z",
                "approximateArrivalOfLastRecord": "2023-07-22T08:15:33.000Z",
                "batchSize": 1,
                "streamArn": "arn:stream",
            },
        }
    )


def test_a_range_of_a_shard_is_read_with_both_its_ends(stack: Stack) -> None:
    placed = stack.put(("P1", b"%d" % n) for n in range(20))
    shard_id = placed[0][0]
    ranges = ShardRanges(stack.clients.kinesis, stack.names.stream)
    found = ranges.read(shard_id, placed[3][1], placed[7][1], count=5)
    assert [record.data for record in found] == [b"3", b"4", b"5", b"6", b"7"]
    everything = read_all(stack.clients.kinesis, stack.names.stream)
    assert {r.place for r in everything} == {(shard, number) for shard, number, _ in placed}
    # What is older than the stream's oldest record is missing, and the rest is there.
    left = ranges.read(shard_id, 1, placed[1][1], count=5)
    assert [record.data for record in left] == [b"0", b"1"]
    assert ranges.read("shardId-000000009999", 1, 2, count=2) == []
