from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.sources.dynamodb import record_of as change_of
from eventbridge_pipes.sources.kinesis import record_maker
from eventbridge_pipes.sources.sqs import record_of

STREAM = Arn.parse("arn:aws:kinesis:eu-central-1:123456789012:stream/orders")
made_of = record_maker(STREAM, "shardId-000000000006", "arn:aws:iam::123456789012:role/pipe")


def payload(records: list[Record]) -> bytes:
    return json_array(record.body for record in records).encode("ascii")


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
    assert list(json.loads(made_of(raw()).body).items()) == [
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
    assert '"approximateArrivalTimestamp":1545084650.0,' in made_of(raw(arrived=1545084650)).body


def test_the_payload_is_a_bare_array_also_of_one_record() -> None:
    record = made_of(raw())
    assert json.loads(payload([record])) == [json.loads(record.body)]


@given(st.lists(st.tuples(st.binary(max_size=64), st.text(min_size=1, max_size=20)), min_size=1))
def test_data_and_keys_arrive_as_they_were_put(puts: list[tuple[bytes, str]]) -> None:
    sent = payload([made_of(raw(data, key)) for data, key in puts])
    received = [(base64.b64decode(r["data"]), r["partitionKey"]) for r in json.loads(sent)]
    assert received == puts


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1))
def test_the_size_of_a_payload_is_that_of_its_records_and_a_bracket(keys: list[str]) -> None:
    records = [made_of(raw(key=key)) for key in keys]
    assert len(payload(records)) == 1 + sum(record.size for record in records)


TABLE_STREAM = Arn.parse(
    "arn:aws:dynamodb:us-west-2:123456789012:table/orders/stream/2023-06-10T19:26:16.525"
)


def change(**members: Any) -> dict[str, Any]:
    """A record as GetRecords gives it; `members` are those of its `dynamodb`."""
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "dynamodb": {
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "SizeBytes": 26,
            "SequenceNumber": "111",
            "NewImage": {"Id": {"N": "101"}, "Photo": {"B": "AAEC/w=="}},
            "Keys": {"Id": {"N": "101"}},
            "ApproximateCreationDateTime": 1.479499740e9,
            **members,
        },
    }


def test_a_change_of_a_table_has_the_members_and_order_of_aws() -> None:
    made = change_of(change(), TABLE_STREAM)
    members = json.loads(made.body)
    assert list(members.pop("dynamodb").items()) == [
        ("ApproximateCreationDateTime", 1479499740),
        ("Keys", {"Id": {"N": "101"}}),
        ("NewImage", {"Id": {"N": "101"}, "Photo": {"B": "AAEC/w=="}}),
        ("SequenceNumber", "111"),
        ("SizeBytes", 26),
        ("StreamViewType", "NEW_AND_OLD_IMAGES"),
    ]
    assert list(members.items()) == [
        ("eventID", "c4ca4238a0b923820dcc509a6f75849b"),
        ("eventVersion", "1.1"),
        ("awsRegion", "us-west-2"),
        ("eventName", "INSERT"),
        ("eventSourceARN", TABLE_STREAM.text),
        ("eventSource", "aws:dynamodb"),
    ]
    assert (made.event_id, made.sequence_number, made.arrived) == (
        "c4ca4238a0b923820dcc509a6f75849b",
        "111",
        1479499740.0,
    )
    assert '"ApproximateCreationDateTime":1479499740,' in made.body


def test_a_deletion_by_time_to_live_names_the_service_that_deleted() -> None:
    by_service = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    deletion = {**change(), "eventName": "REMOVE", "userIdentity": by_service}
    assert json.loads(change_of(deletion, TABLE_STREAM).body)["userIdentity"] == {
        "principalId": "dynamodb.amazonaws.com",
        "type": "Service",
    }


def test_changes_of_one_item_share_their_partition_key() -> None:
    one = change_of(change(Keys={"Id": {"N": "1"}, "At": {"S": "é"}}), TABLE_STREAM)
    same = change_of(change(Keys={"At": {"S": "é"}, "Id": {"N": "1"}}), TABLE_STREAM)
    other = change_of(change(Keys={"At": {"S": "é"}, "Id": {"S": "1"}}), TABLE_STREAM)
    assert one.partition_key == same.partition_key != other.partition_key


QUEUE = Arn.parse("arn:aws:sqs:us-east-2:123456789012:orders.fifo")


def message(body: str = "Test message.", **members: Any) -> dict[str, Any]:
    return {
        "MessageId": "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5",
        "ReceiptHandle": "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw...",
        "MD5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "Body": body,
        "Attributes": {
            "SenderId": "AIDAIO23YVJENQZJOL4VO",
            "ApproximateFirstReceiveTimestamp": "1573251510774",
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1573251510774",
        },
        **members,
    }


def test_a_message_has_the_members_and_order_of_aws() -> None:
    made = record_of(message(), QUEUE)
    members = json.loads(made.body)
    assert list(members.pop("attributes").items()) == [
        ("ApproximateReceiveCount", "1"),
        ("SentTimestamp", "1573251510774"),
        ("SenderId", "AIDAIO23YVJENQZJOL4VO"),
        ("ApproximateFirstReceiveTimestamp", "1573251510774"),
    ]
    assert list(members.items()) == [
        ("messageId", "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5"),
        ("receiptHandle", "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw..."),
        ("body", "Test message."),
        ("messageAttributes", {}),
        ("md5OfBody", "e4e68fb7bd0e697a0ae8f1bb342846b3"),
        ("eventSource", "aws:sqs"),
        ("eventSourceARN", "arn:aws:sqs:us-east-2:123456789012:orders.fifo"),
        ("awsRegion", "us-east-2"),
    ]
    assert (made.event_id, made.sequence_number) == ("11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", "")
    assert (made.arrived, made.partition_key) == (1573251510.774, "")


def test_the_attributes_of_the_sender_have_lowercase_members_and_empty_lists() -> None:
    sent = {
        "colour": {"StringValue": "red", "DataType": "String"},
        "photo": {"DataType": "Binary.png", "BinaryValue": "AAEC/w=="},
    }
    raw = message(MessageAttributes=sent, MD5OfMessageAttributes="5d0d")
    members = json.loads(record_of(raw, QUEUE).body)
    assert members["md5OfMessageAttributes"] == "5d0d"
    assert [list(value.items()) for value in members["messageAttributes"].values()] == [
        [
            ("stringValue", "red"),
            ("stringListValues", []),
            ("binaryListValues", []),
            ("dataType", "String"),
        ],
        [
            ("binaryValue", "AAEC/w=="),
            ("stringListValues", []),
            ("binaryListValues", []),
            ("dataType", "Binary.png"),
        ],
    ]


def test_messages_of_one_group_share_their_partition_key() -> None:
    raw = message()
    raw["Attributes"]["MessageGroupId"] = "g"
    assert record_of(raw, QUEUE).partition_key == "g"


@given(st.text(min_size=1))
def test_a_body_arrives_as_it_was_sent(body: str) -> None:
    (received,) = json.loads(payload([record_of(message(body), QUEUE)]))
    assert received["body"] == body
