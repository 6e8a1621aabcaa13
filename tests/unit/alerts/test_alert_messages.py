"""What people get: fit for SNS whatever came in, and with what a filter policy needs."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.cause import MAX_SAMPLES, Cause, Kind, Occurrence, Sample, Waiting, together
from alerts.message import MAX_BYTES, message_of
from alerts.queue import Tick, parse_tick, read
from inventory.failure_messages import DeadLetter
from inventory_aws.stream import StreamRecord
from processor.failures import Rejection
from processor.failures import message_of as rejection_message
from processor.records import Record

LETTER = {
    "context": {"partnerResourceArn": "arn:pipe", "condition": "RetryAttemptsExhausted"},
    "version": "1.0",
    "timestamp": "2023-07-22T08:15:33.500Z",
    "KinesisBatchInfo": {
        "shardId": "shardId-000000000001",
        "startSequenceNumber": "7",
        "endSequenceNumber": "8",
        "approximateArrivalOfFirstRecord": "2023-07-22T08:15:33.000Z",
        "approximateArrivalOfLastRecord": "2023-07-22T08:15:33.000Z",
        "batchSize": 2,
        "streamArn": "arn:stream",
    },
}


def no_records(letter: DeadLetter) -> list[StreamRecord]:
    return []


def ids(data: bytes) -> tuple[str | None, str | None]:
    event_id, _, product_id = data.decode().partition(" ")
    return event_id or None, product_id or None


def occurrence(body: str, records: list[StreamRecord] | None = None) -> Occurrence:
    found = read(body, 1.7e9, lambda letter: records or [], ids)
    assert isinstance(found, Occurrence)
    return found


def attributes(occurrences: list[Occurrence]) -> dict[str, Any]:
    message = message_of(occurrences[0].cause, together(occurrences))
    return {
        name: json.loads(value["StringValue"])
        if value["DataType"] == "String.Array"
        else value["StringValue"]
        for name, value in message.attributes.items()
    }


def rejection(code: str, data: str = "e30=", **claims: str) -> str:
    record = Record("shardId-000000000001:7", "7", "P1", data, 12.5)
    return rejection_message(Rejection(record, "it is so: 4711", code=code, **claims))


def test_a_rejection_is_told_with_what_it_claims_and_where_it_is() -> None:
    found = occurrence(rejection("data.not_json", event_id="E1", product_id="P1"))
    assert found.cause == Cause(Kind.REJECTED, "data.not_json")
    assert found.samples == [
        {
            "at": 1.7e9,
            "event_id": "E1",
            "product_id": "P1",
            "shard_id": "shardId-000000000001",
            "sequence_number": "7",
            "detail": "it is so: 4711",
            "payload": "{}",
        }
    ]
    assert attributes([found]) == {
        "alert": "rejected",
        "reason": "data.not_json",
        "count": "1",
        "product_id": ["P1"],
        "event_id": ["E1"],
    }


def test_a_rejection_with_an_unknown_code_is_of_a_reason_unknown() -> None:
    for code in ("x" * 200, "not a word"):
        assert occurrence(rejection(code)).cause.reason == "unknown"


def test_a_dead_letter_is_told_with_the_records_that_it_stands_for() -> None:
    records = [StreamRecord("s", 7, 0.0, b"E7 P1", "P1"), StreamRecord("s", 8, 0.0, b"E8 P1", "P1")]
    found = occurrence(json.dumps(LETTER), records)
    assert found.cause == Cause(Kind.DEAD_LETTER, "RetryAttemptsExhausted")
    assert [sample["sequence_number"] for sample in found.samples] == ["7", "8"]
    told = attributes([found])
    assert (told["count"], told["event_id"], told["product_id"]) == ("1", ["E7", "E8"], ["P1"])


def test_a_dead_letter_whose_records_are_gone_is_told_without() -> None:
    found = occurrence(json.dumps(LETTER))
    assert len(found.samples) == 1
    assert attributes([found]).keys() == {"alert", "reason", "count"}


def test_many_are_one_message_with_a_few_samples() -> None:
    found = [
        occurrence(rejection("data.not_json", event_id=f"E{n}", product_id="P1"))
        for n in range(300)
    ]
    told = attributes(found)
    assert told["count"] == "300"
    assert told["event_id"] == [f"E{n}" for n in range(MAX_SAMPLES)]
    assert told["product_id"] == ["P1"]
    message = message_of(found[0].cause, together(found))
    assert message.subject == "300 events rejected: data.not_json"
    assert json.loads(message.body)["count"] == 300


TEXTS = st.text() | st.text(alphabet='😀\x00\ud800\n"', max_size=400) | st.just("😀" * 5000)


@given(st.sampled_from(Kind), TEXTS, st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=30))
def test_any_message_is_one_that_sns_takes(
    kind: Kind, reason: str, texts: list[tuple[str, str, str]]
) -> None:
    samples: list[Sample] = [
        {"at": 1.0, "event_id": e, "product_id": p, "payload": t} for e, p, t in texts
    ]
    message = message_of(Cause.of(kind, reason), Waiting(10**9, 0.0, 1.7e9, samples))
    assert message.size <= MAX_BYTES
    assert len(message.subject) < 100
    assert re.fullmatch(r"[!-~][ -~]*", message.subject)
    assert message.body.isascii()
    assert json.loads(message.body)["count"] == 10**9
    for value in message.attributes.values():
        assert value["StringValue"].isascii()
        assert value["StringValue"]


@given(TEXTS, TEXTS, st.binary(max_size=3000))
def test_whatever_was_put_is_told_in_texts_that_a_queue_takes(
    event_id: str, product_id: str, data: bytes
) -> None:
    body = rejection_message(
        Rejection(
            Record("s:7", "7", "P1", "e30=", 0.0),
            data.decode("latin-1"),
            event_id,
            product_id,
            code="event_type.missing",
        )
    )
    [sample] = occurrence(body).samples
    for value in sample.values():
        if isinstance(value, str):
            assert len(value) <= 256
            value.encode()
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", value)


def test_a_tick_is_read_as_it_was_sent_and_what_is_nobodys_as_nothing() -> None:
    tick = Tick(Cause(Kind.DEAD_LETTER, "RetryAttemptsExhausted"), 1700000000123)
    assert read(tick.body, 0.0, no_records, ids) == tick
    for body in (
        "",
        "{",
        "[]",
        "{}",
        '{"tick": 1, "at": 2}',
        '{"tick": "x:y", "at": 2}',
        "[" * 9999,
    ):
        assert read(body, 0.0, no_records, ids) is None


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_no_text_is_a_tick_by_accident(body: str) -> None:
    assert parse_tick(body) is None
