"""What a rejected event leaves for whoever looks into it."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from inventory.stock import Outcome
from processor.records import Record, Result
from processor.rejections import MAX_BYTES, message_of


def rejected(data: bytes) -> Result:
    record = Record("shardId-0:7", "7", "P1", base64.b64encode(data).decode(), 12.5)
    reason, code = "event_type is missing", "event_type.missing"
    return Result(record, Outcome.REJECTED, reason, "e7", "P1", code)


def test_the_message_has_reason_ids_position_and_payload() -> None:
    assert json.loads(message_of(rejected(b'{"product": {}}'))) == {
        "reason": "event_type is missing",
        "code": "event_type.missing",
        "event_id": "e7",
        "product_id": "P1",
        "shard_id": "shardId-0",
        "sequence_number": "7",
        "arrived_at": 12.5,
        "payload": '{"product": {}}',
        "payload_encoding": "utf-8",
        "payload_truncated": False,
    }


@given(st.binary())
def test_the_message_keeps_every_byte_of_the_payload(data: bytes) -> None:
    message = json.loads(message_of(rejected(data)))
    if message["payload_encoding"] == "utf-8":
        assert message["payload"].encode() == data
    else:
        assert base64.b64decode(message["payload"]) == data


def test_data_that_is_not_base64_is_kept_as_it_is() -> None:
    record = Record("s:7", "7", "P1", "!", 0.0)
    message = json.loads(message_of(Result(record, Outcome.REJECTED, "data is not base64")))
    assert (message["payload"], message["payload_encoding"]) == ("!", "none")


def test_a_payload_that_does_not_fit_is_marked_as_cut() -> None:
    for data in (b"x" * 1_000_000, "😀".encode() * 100_000, b"\xff" * 1_000_000):
        message = message_of(rejected(data))
        assert len(message) <= MAX_BYTES
        assert json.loads(message)["payload_truncated"] is True
