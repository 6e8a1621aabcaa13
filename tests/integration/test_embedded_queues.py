"""The emulator of the embedded target, where a queue holds many messages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from operations.queue import Queue
from servers import AwsClient
from waiting import eventually

COUNT = 300


@pytest.fixture
def sqs(aws: AwsClient) -> Any:
    return aws("sqs")


def filled(sqs: Any, count: int) -> Iterator[str]:
    """The name of a queue with so many messages, numbered from 0."""
    name = f"many-{uuid.uuid4().hex[:10]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(count)]
    for start in range(0, count, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=entries[start : start + 10])
    yield name
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def name(sqs: Any) -> Iterator[str]:
    yield from filled(sqs, COUNT)


@pytest.fixture
def name_of_few(sqs: Any) -> Iterator[str]:
    yield from filled(sqs, 3)


def url_of(sqs: Any, name: str) -> str:
    url: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return url


def test_all_messages_are_received_once_and_again_after_release(sqs: Any, name: str) -> None:
    queue = Queue(sqs, name)
    for _ in range(2):
        messages = queue.receive_all()
        assert [int(message.body) for message in messages] == list(range(COUNT))
        assert queue.receive_all(listen_seconds=0) == []
        queue.release(messages)


def test_a_receive_hides_messages_for_as_long_as_it_may_take(sqs: Any, name: str) -> None:
    queue = Queue(sqs, name)
    messages = queue.receive_all(visible_after=0, listen_seconds=0)
    assert [int(message.body) for message in messages] == list(range(COUNT))
    assert queue.receive_all(listen_seconds=0) == []


def test_a_received_message_is_visible_again_after_its_timeout_only(
    sqs: Any, name_of_few: str
) -> None:
    url = url_of(sqs, name_of_few)
    first = sqs.receive_message(QueueUrl=url, VisibilityTimeout=4)["Messages"][0]["Body"]
    second = sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"][0]["Body"]
    assert (first, second) == ("0", "1")

    def next_one() -> str:
        body: str = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]["Body"]
        return body

    eventually(lambda: next_one() == "0")


def test_a_delayed_message_is_not_received_before_its_delay_ends(
    sqs: Any, name_of_few: str
) -> None:
    url = url_of(sqs, name_of_few)
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=4)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))


def test_a_message_group_waits_for_its_received_message(sqs: Any) -> None:
    name = f"ordered-{uuid.uuid4().hex[:10]}.fifo"
    url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    for body in "first", "second":
        sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId="one", MessageDeduplicationId=body
        )
    [first] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert first["Body"] == "first"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_queue(QueueUrl=url)
