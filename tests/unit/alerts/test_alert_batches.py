"""A batch of the queue or of the table's stream: one message per reason, and what is retried."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.alerts.test_alert_messages import LETTER, lost, rejection
from tests.unit.alerts.test_stock_crossings import image, record

from alerts import handler as alerts
from inventory_aws.stream import StreamRecord

REFUSED = ClientError({"Error": {"Code": "InternalError", "Message": "try again"}}, "Publish")


class Topic:
    """Publishes, except messages with the reasons that it is to refuse."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.refuses: set[str] = set()

    def publish(self, **message: Any) -> None:
        body = json.loads(message["Message"])
        if body["reason"] in self.refuses:
            raise REFUSED
        self.published.append(body)

    @property
    def counts(self) -> dict[str, int]:
        return {body["reason"]: body["count"] for body in self.published}


class Stream:
    """A stream whose records are there, or cannot be read."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_down = False

    def read(self, shard_id: str, first: int, last: int, count: int) -> Sequence[StreamRecord]:
        self.reads += 1
        if self.is_down:
            raise REFUSED
        return [lost(n, {"event_id": f"E{n}"}) for n in range(first, last + 1)][:count]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    topic = Topic()
    environ = {"ALERTS_TOPIC_ARN": "arn", "STREAM_NAME": "s", "LOW_STOCK": "5", "HIGH_STOCK": "9"}
    monkeypatch.setattr(alerts, "_settings", lambda: alerts.Settings.from_env(environ))
    monkeypatch.setattr(alerts, "_client", lambda service: topic)
    return topic


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream()
    monkeypatch.setattr(alerts, "_stream", lambda: stream)
    return stream


def handle(*bodies: str, remaining_ms: int = 30_000) -> list[str]:
    """Return the ids of the messages to retry: their positions in the batch."""
    sent = {"SentTimestamp": "1700000000000"}
    records = [
        {"messageId": str(n), "eventSource": "aws:sqs", "body": body, "attributes": sent}
        for n, body in enumerate(bodies)
    ]
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: remaining_ms)
    answer = alerts.handler({"Records": records}, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_batch_of_the_queue_is_one_message_per_reason(topic: Topic, stream: Stream) -> None:
    bodies = [rejection(f"reason{n % 3}") for n in range(3000)]
    assert handle(*bodies, json.dumps(LETTER)) == []
    assert topic.counts == {
        "reason0": 1000,
        "reason1": 1000,
        "reason2": 1000,
        "RetryAttemptsExhausted": 1,
    }
    assert len(topic.published) == 4
    assert [s["event_id"] for s in topic.published[-1]["samples"]] == ["E7", "E8"]


def test_only_the_messages_that_were_not_published_are_retried(topic: Topic) -> None:
    topic.refuses = {"bad"}
    assert handle(rejection("good"), rejection("bad"), rejection("bad")) == ["1", "2"]
    assert topic.counts == {"good": 1}
    topic.refuses = set()
    assert handle(rejection("bad"), rejection("bad")) == []
    assert topic.counts == {"good": 1, "bad": 2}


def test_an_unknown_message_is_logged_and_the_others_are_published(
    topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handle("{}", rejection("good")) == []
    assert topic.counts == {"good": 1}
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == {
        "message": "unknown message dropped",
        "body": "{}",
    }


def test_a_few_dead_letters_of_a_batch_show_their_records(topic: Topic, stream: Stream) -> None:
    assert handle(*[json.dumps(LETTER)] * 8) == []
    assert stream.reads == alerts.LOOKUPS
    assert topic.counts == {"RetryAttemptsExhausted": 8}


def test_a_dead_letter_is_published_if_its_records_cannot_be_read(
    topic: Topic, stream: Stream
) -> None:
    stream.is_down = True
    assert handle(json.dumps(LETTER)) == []
    assert topic.counts == {"RetryAttemptsExhausted": 1}


def test_records_are_not_looked_up_if_time_is_short(topic: Topic, stream: Stream) -> None:
    assert handle(json.dumps(LETTER), remaining_ms=alerts.LOOKUP_MS - 1) == []
    assert (stream.reads, len(topic.published)) == (0, 1)


def changes(*levels: str) -> dict[str, Any]:
    return {"Records": [record(image("7"), image(level)) for level in levels]}


def test_the_crossings_of_a_batch_are_one_message_per_kind(topic: Topic) -> None:
    alerts.handler(changes("5", "8", "10", "4", "3"), None)
    assert topic.counts == {"low_stock": 3, "high_stock": 1}
    assert len(topic.published) == 2


def test_a_batch_without_crossings_needs_no_client(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(alerts, "_client")
    alerts.handler(changes("6", "8"), None)
    assert topic.published == []


def test_lambda_retries_a_batch_whose_crossings_were_not_published(topic: Topic) -> None:
    topic.refuses = {"low_stock"}
    with pytest.raises(ClientError):
        alerts.handler(changes("5"), None)


def test_a_threshold_can_be_off() -> None:
    environ = {"ALERTS_TOPIC_ARN": "arn", "STREAM_NAME": "s", "HIGH_STOCK": "9"}
    for low in ({}, {"LOW_STOCK": "off"}):
        thresholds = alerts.Settings.from_env({**environ, **low}).thresholds
        assert (thresholds.low, thresholds.high) == (None, 9)


def test_the_shards_of_a_resharded_stream_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"ALERTS_TOPIC_ARN": "arn", "STREAM_NAME": "s"}
    monkeypatch.setattr(alerts, "_settings", lambda: alerts.Settings.from_env(environ))
    monkeypatch.setattr(alerts, "_client", lambda service: None)
    assert alerts._stream() is not alerts._stream()
