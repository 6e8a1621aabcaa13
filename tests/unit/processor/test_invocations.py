"""Both shapes in which Kinesis records reach a function."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from inventory.event import InvalidEventError, ProductRemoved
from processor.records import Record, UnknownInvocationError, records_of

STREAM_PART = {
    "kinesisSchemaVersion": "1.0",
    "partitionKey": "P42",
    "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
    "data": base64.b64encode(b"{}").decode(),
    "approximateArrivalTimestamp": 1545084650.987,
}
ENVELOPE = {
    "eventSource": "aws:kinesis",
    "eventVersion": "1.0",
    "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
    "eventName": "aws:kinesis:record",
    "invokeIdentityArn": "arn:aws:iam::123456789012:role/pipe",
    "awsRegion": "us-east-2",
    "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/s",
}
NUMBER = str(STREAM_PART["sequenceNumber"])
EXPECTED = Record(ENVELOPE["eventID"], NUMBER, "P42", "e30=", 1545084650.987)


def test_a_pipe_sends_a_bare_list_of_flat_records() -> None:
    assert records_of([STREAM_PART | ENVELOPE]) == [EXPECTED]
    assert EXPECTED.item_identifier == ENVELOPE["eventID"]


def test_an_event_source_mapping_sends_nested_records() -> None:
    [record] = records_of({"Records": [{**ENVELOPE, "kinesis": STREAM_PART}]})
    assert record == replace(EXPECTED, of_mapping=True)
    assert record.item_identifier == NUMBER


def test_the_shard_is_read_from_the_event_id() -> None:
    assert EXPECTED.shard_id == "shardId-000000000006"


@pytest.mark.parametrize(
    "invocation",
    [
        None,
        {},
        "text",
        5,
        {"Records": 5},
        [5],
        [{}],
        [ENVELOPE],
        {"Records": [ENVELOPE]},
        [STREAM_PART | ENVELOPE | {"data": 5}],
        [STREAM_PART | ENVELOPE | {"partitionKey": None}],
        [STREAM_PART | ENVELOPE | {"approximateArrivalTimestamp": "now"}],
        [STREAM_PART | ENVELOPE | {"approximateArrivalTimestamp": float("nan")}],
        [STREAM_PART | ENVELOPE | {"approximateArrivalTimestamp": 10**400}],
    ],
)
def test_an_invocation_without_records_of_kinesis_is_an_error(invocation: Any) -> None:
    with pytest.raises(UnknownInvocationError):
        records_of(invocation)


@pytest.mark.parametrize("data", ["not base64!", "e30", "é"])
def test_data_that_is_not_base64_is_no_event(data: str) -> None:
    with pytest.raises(InvalidEventError, match=r"^data is not base64$"):
        Record("shardId-0:1", "1", "P1", data, 0.0).event()


@pytest.mark.parametrize("number", ["", "x", "-1", "²", "1\n", "1" * 5_000])
def test_a_sequence_number_that_is_no_number_is_invalid(number: str) -> None:
    with pytest.raises(InvalidEventError, match=r"^sequenceNumber is not a number$"):
        Record("shardId-0:x", number, "P1", "e30=", 0.0).event()


@pytest.mark.parametrize("key", ["P2", "p1", "P1 ", "P", "é"])
def test_an_event_under_another_key_than_its_product_id_is_invalid(
    key: str,
) -> None:
    event = b'{"event_type": "product_removed", "event_id": "E1", "product": {"product_id": "P1"}}'
    record = Record("shardId-0:1", "1", key, base64.b64encode(event).decode(), 0.0)
    with pytest.raises(InvalidEventError, match=r"^partition_key is not the product id$") as caught:
        record.event()
    assert caught.value.code == "partition_key.differs"
    assert (caught.value.event_id, caught.value.product_id) == ("E1", "P1")
    assert replace(record, partition_key="P1").event() == ProductRemoved("P1", 1, "E1", None)
