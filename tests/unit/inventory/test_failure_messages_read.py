"""What the function and the pipe write into their queues is read back as they meant it."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.execution import dead_letter
from eventbridge_pipes.record import Record as PipeRecord
from inventory.dead_letters import parse_dead_letter
from inventory.rejections import parse_rejection
from inventory.stock import Outcome
from pipes_samples import PIPE
from processor.records import Record, Result
from processor.rejections import message_of

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def rejected(data: bytes) -> Result:
    encoded = base64.b64encode(data).decode()
    record = Record("shardId-000000000003:4711", "4711", "P1", encoded, arrived_at=1.5)
    reason, code = "quantity is missing", "quantity.missing"
    return Result(record, Outcome.REJECTED, reason, "E1", "P1", code)


@given(st.binary())
def test_a_rejection_is_read_as_the_function_meant_it_whatever_the_payload(data: bytes) -> None:
    read = parse_rejection(message_of(rejected(data)))
    assert read is not None
    assert (read.shard_id, read.sequence_number) == ("shardId-000000000003", 4711)
    assert (read.reason, read.event_id, read.product_id) == ("quantity is missing", "E1", "P1")
    assert (read.payload, read.truncated, read.arrived_at) == (data, False, 1.5)
    assert read.code == "quantity.missing"


def test_a_rejection_from_before_there_were_codes_is_read_without() -> None:
    message = json.loads(message_of(rejected(b"{")))
    del message["code"]
    read = parse_rejection(json.dumps(message))
    assert read is not None
    assert (read.reason, read.code) == ("quantity is missing", None)


def test_a_payload_that_was_cut_is_none_at_all() -> None:
    read = parse_rejection(message_of(rejected(b"x" * 400_000)))
    assert read is not None
    assert read.truncated
    assert read.payload is None


@given(st.integers(0, 10**56), st.integers(0, 10_000))
def test_a_dead_letter_names_its_shard_and_both_ends(first: int, more: int) -> None:
    def record(number: int) -> PipeRecord:
        return PipeRecord("", str(number), 1690013733.5, "{}")

    body = dead_letter.message(
        [record(first), record(first + more)],
        dead_letter.Condition.ATTEMPTS,
        PIPE,
        "shardId-000000000000",
        1690013740.25,
    )
    read = parse_dead_letter(body)
    assert read is not None
    assert (read.shard_id, read.first, read.last) == ("shardId-000000000000", first, first + more)
    assert (read.condition, read.count) == ("RetryAttemptsExhausted", 2)
    assert (read.given_up_at, read.arrived_first) == (1690013740.25, 1690013733.5)


@given(JSON.map(json.dumps) | st.text())
def test_what_is_no_message_of_ours_is_none(body: str) -> None:
    assert parse_rejection(body) is None
    assert parse_dead_letter(body) is None


@pytest.mark.parametrize("name", ["reason", "shard_id", "sequence_number", "payload"])
def test_a_rejection_with_a_part_that_is_no_text_is_none(name: str) -> None:
    message = json.loads(message_of(rejected(b"{}"))) | {name: [1]}
    assert parse_rejection(json.dumps(message)) is None
