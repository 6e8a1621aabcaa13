"""What people get: fit for SNS whatever came in, and with what a filter policy needs."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.message import MAX_SAMPLES, message_of
from alerts.occurrence import MAX_CHARACTERS, Kind, Occurrence, read_message
from inventory.dead_letters import DeadLetter
from inventory.stock import Outcome
from inventory.stream import StreamRecord
from processor.records import Record, Result
from processor.rejections import message_of as rejection_message

MAX_BYTES = 256 * 1024
"""Of body and attributes. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

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


def read(body: str, records: list[StreamRecord] | None = None) -> Occurrence | None:
    message = {"messageId": "m1", "body": body, "attributes": {"SentTimestamp": "1700000000000"}}

    def records_of(letter: DeadLetter) -> list[StreamRecord]:
        return records or []

    return read_message(message, records_of)


def occurrence(body: str, records: list[StreamRecord] | None = None) -> Occurrence:
    found = read(body, records)
    assert found
    return found


def attributes(occurrences: list[Occurrence]) -> dict[str, Any]:
    return {
        name: json.loads(value["StringValue"])
        if value["DataType"] == "String.Array"
        else value["StringValue"]
        for name, value in message_of(occurrences)["MessageAttributes"].items()
    }


def rejection(code: str | None, data: str = "e30=", **claims: str) -> str:
    record = Record("shardId-000000000001:7", "7", "P1", data, 12.5)
    result = Result(record, Outcome.REJECTED, "it is so: 4711", code=code, **claims)
    return rejection_message(result)


def lost(number: int, event: dict[str, Any]) -> StreamRecord:
    return StreamRecord("s", number, 0.0, json.dumps(event).encode(), "P1")


def test_an_alert_about_a_rejected_event_has_its_ids_and_its_position() -> None:
    found = occurrence(rejection("data.not_json", event_id="E1", product_id="P1"))
    assert (found.kind, found.reason) == (Kind.REJECTED, "data.not_json")
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


def test_a_rejection_without_a_code_has_the_reason_unknown() -> None:
    for code in (None, "x" * 200, "not a word"):
        assert occurrence(rejection(code)).reason == "unknown"


def test_an_alert_about_a_dead_letter_shows_its_records() -> None:
    product = {"product_id": "P1"}
    records = [lost(n, {"event_id": f"E{n}", "product": product}) for n in (7, 8)]
    found = occurrence(json.dumps(LETTER), records)
    assert (found.kind, found.reason) == (Kind.DEAD_LETTER, "RetryAttemptsExhausted")
    assert [sample["sequence_number"] for sample in found.samples] == ["7", "8"]
    assert [sample["records"] for sample in found.samples] == [2, 2]
    told = attributes([found])
    assert (told["count"], told["event_id"], told["product_id"]) == ("1", ["E7", "E8"], ["P1"])


def test_an_alert_about_a_dead_letter_without_its_records_shows_the_position() -> None:
    found = occurrence(json.dumps(LETTER))
    [sample] = found.samples
    assert (sample["shard_id"], sample["sequence_number"]) == ("shardId-000000000001", "7")
    assert attributes([found]).keys() == {"alert", "reason", "count"}


def test_many_occurrences_are_one_message_with_a_few_samples() -> None:
    found = [
        occurrence(rejection("data.not_json", event_id=f"E{n}", product_id="P1"))
        for n in range(300)
    ]
    told = attributes(found)
    assert told["count"] == "300"
    assert told["event_id"] == [f"E{n}" for n in range(MAX_SAMPLES)]
    assert told["product_id"] == ["P1"]
    message = message_of(found)
    assert message["Subject"] == "300 events rejected: data.not_json"
    assert json.loads(message["Message"])["count"] == 300


def test_a_message_says_when_the_first_and_the_last_occurred() -> None:
    found = [
        Occurrence("m", Kind.LOW_STOCK, "low_stock", at, [{"at": at}])
        for at in (1.7e9 + 2, 1.7e9, 1.7e9 + 1)
    ]
    message = message_of(found)
    body = json.loads(message["Message"])
    assert message["Subject"] == "3 products low in stock"
    assert body["first_at"] == "2023-11-14T22:13:20.000Z"
    assert body["last_at"] == body["samples"][0]["at"] == "2023-11-14T22:13:22.000Z"


TEXTS = st.text() | st.text(alphabet='😀\x00\ud800\n"', max_size=400) | st.just("😀" * 5000)


@given(TEXTS, st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=30))
def test_sns_accepts_the_message_about_any_rejected_events(
    reason: str, texts: list[tuple[str, str, str]]
) -> None:
    record = Record("s:7", "7", "P1", "8J+YgA==" * 300, 0.0)
    rejected = [Result(record, Outcome.REJECTED, t, e, p, reason) for e, p, t in texts]
    occurrences = [occurrence(rejection_message(result)) for result in rejected]

    message = message_of(occurrences)

    values = message["MessageAttributes"]
    size = len(message["Message"]) + sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"])
        for name, value in values.items()
    )
    assert size <= MAX_BYTES
    assert len(message["Subject"]) < 100
    assert re.fullmatch(r"[!-~][ -~]*", message["Subject"])
    assert message["Message"].isascii()
    assert json.loads(message["Message"])["count"] == len(texts)
    for value in values.values():
        assert value["StringValue"].isascii()
        assert value["StringValue"]


def test_the_largest_message_fits_into_what_sns_accepts() -> None:
    text = "😀" * 5000
    record = Record(f"{text}:7", "9" * 129, "P1", "8J+YgA==" * 300, 0.0)
    body = rejection_message(Result(record, Outcome.REJECTED, text, text, text, "x" * 100))
    message = message_of([occurrence(body)] * MAX_SAMPLES)
    assert len(json.loads(message["Message"])["samples"]) == MAX_SAMPLES
    ids = message["MessageAttributes"].values()
    assert len(message["Message"]) + sum(len(str(each)) for each in ids) <= MAX_BYTES


@given(TEXTS, TEXTS, st.binary(max_size=3000))
def test_the_texts_of_a_sample_are_short_and_a_queue_accepts_them(
    event_id: str, product_id: str, data: bytes
) -> None:
    record, reason = Record("s:7", "7", "P1", "e30=", 0.0), data.decode("latin-1")
    body = rejection_message(Result(record, Outcome.REJECTED, reason, event_id, product_id))
    [sample] = occurrence(body).samples
    for value in sample.values():
        if isinstance(value, str):
            assert len(value) <= MAX_CHARACTERS
            value.encode()
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", value)


def test_a_message_that_no_part_of_the_pipeline_wrote_is_no_occurrence() -> None:
    for body in ("", "{", "[]", "{}", '{"reason": 1}', "[" * 9999):
        assert read(body) is None
