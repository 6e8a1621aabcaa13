from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.arns import Arn
from eventbridge_pipes.sources.records import KinesisShape, payload, payload_size

STREAM = Arn.parse("arn:aws:kinesis:eu-central-1:123456789012:stream/orders")
SHAPE = KinesisShape(STREAM, "shardId-000000000006", "arn:aws:iam::123456789012:role/pipe")


def raw(
    data: bytes = b"Hello", key: str = "P42", arrived: float = 1545084650.987
) -> dict[str, object]:
    return {
        "SequenceNumber": "000000017954607423040000000002",
        "ApproximateArrivalTimestamp": arrived,
        "Data": base64.b64encode(data).decode(),
        "PartitionKey": key,
        "EncryptionType": "NONE",
    }


def test_a_record_is_flat_with_the_members_and_order_of_aws() -> None:
    assert list(json.loads(SHAPE.record(raw()).body).items()) == [
        ("kinesisSchemaVersion", "1.0"),
        ("partitionKey", "P42"),
        ("sequenceNumber", "000000017954607423040000000002"),
        ("data", "SGVsbG8="),
        ("approximateArrivalTimestamp", 1545084650.987),
        ("eventSource", "aws:kinesis"),
        ("eventVersion", "1.0"),
        ("eventID", "shardId-000000000006:000000017954607423040000000002"),
        ("eventName", "aws:kinesis:record"),
        ("invokeIdentityArn", "arn:aws:iam::123456789012:role/pipe"),
        ("awsRegion", "eu-central-1"),
        ("eventSourceARN", "arn:aws:kinesis:eu-central-1:123456789012:stream/orders"),
    ]


def test_a_time_in_whole_seconds_is_a_float_all_the_same() -> None:
    assert (
        '"approximateArrivalTimestamp":1545084650.0,' in SHAPE.record(raw(arrived=1545084650)).body
    )


def test_the_payload_is_a_bare_array_also_of_one_record() -> None:
    record = SHAPE.record(raw())
    assert json.loads(payload([record])) == [json.loads(record.body)]


@given(st.lists(st.tuples(st.binary(max_size=64), st.text(min_size=1, max_size=20)), min_size=1))
def test_data_and_keys_arrive_as_they_were_put(puts: list[tuple[bytes, str]]) -> None:
    sent = payload([SHAPE.record(raw(data, key)) for data, key in puts])
    received = [(base64.b64decode(r["data"]), r["partitionKey"]) for r in json.loads(sent)]
    assert received == puts


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1))
def test_the_size_of_a_payload_is_that_of_its_records_and_a_bracket(keys: list[str]) -> None:
    records = [SHAPE.record(raw(key=key)) for key in keys]
    assert len(payload(records)) == 1 + sum(map(payload_size, records))
