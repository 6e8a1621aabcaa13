"""What SQS is asked, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import DirectClient, PendingCall
from eventbridge_pipes.sources.source import SourceError, SourceNotFoundError, ThrottledError
from eventbridge_pipes.sources.sqs import (
    CALL_LIMIT,
    LONGEST_VISIBILITY,
    NotDeleted,
    SqsQueue,
    visibility_for,
)
from pipes_queue_fakes import message

ARN = Arn.parse("arn:aws:sqs:us-east-1:123456789012:orders")
URL = "http://sqs/123456789012/orders"


class FakeCalls(DirectClient):
    """Answers each call with the next of `answers`; raises those that are errors."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> PendingCall:
        raise NotImplementedError

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "GetQueueUrl":
            assert arguments == {"QueueName": "orders", "QueueOwnerAWSAccountId": "123456789012"}
            self.calls.append((operation, arguments))
            return {"QueueUrl": URL}
        self.calls.append((operation, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        found: dict[str, Any] = answer
        return found

    def close(self) -> None:
        pass


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "…"}}, "ReceiveMessage")


def test_the_queues_visibility_timeout_is_replaced_only_when_it_is_asked_for() -> None:
    calls = FakeCalls({}, {"Messages": None})
    queue = SqsQueue(calls, ARN)
    assert queue.receive(10, 20) == []
    assert queue.receive(3, 0, visibility=90) == []
    common = {
        "QueueUrl": URL,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    assert [arguments for operation, arguments in calls.calls if operation == "ReceiveMessage"] == [
        {**common, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20},
        {**common, "MaxNumberOfMessages": 3, "WaitTimeSeconds": 0, "VisibilityTimeout": 90},
    ]


def test_what_was_not_deleted_is_told_with_the_reason() -> None:
    records = [message(number) for number in range(4)]
    failed = [
        {"Id": "0", "Code": "ReceiptHandleIsInvalid", "Message": "Expired.", "SenderFault": True},
        {"Id": "2", "Code": "InternalError", "SenderFault": False},
    ]
    calls = FakeCalls({"Successful": [{"Id": "1"}], "Failed": failed})
    assert SqsQueue(calls, ARN).delete(records) == [
        NotDeleted(records[0], "ReceiptHandleIsInvalid: Expired.", expired=True),
        NotDeleted(records[2], "InternalError: "),
        NotDeleted(records[3], "NotNamed: the answer does not name the message"),
    ]
    entries = [{"Id": str(n), "ReceiptHandle": f"receipt {n}"} for n in range(4)]
    assert calls.calls[-1] == ("DeleteMessageBatch", {"QueueUrl": URL, "Entries": entries})


def test_ten_messages_are_deleted_a_call_and_none_after_a_call_that_failed() -> None:
    records = [message(number) for number in range(25)]
    deleted = {"Successful": [{"Id": str(number)} for number in range(CALL_LIMIT)]}
    calls = FakeCalls(deleted, error("InternalFailure"))
    left = SqsQueue(calls, ARN).delete(records)
    assert [one.record for one in left] == records[10:]
    assert {one.reason for one in left} == {"InternalFailure: …"}
    assert calls.answers == []


@pytest.mark.parametrize(
    "answer", [{}, {"Successful": [{}]}, {"Failed": [{"Code": "?"}]}, {"Failed": "?"}]
)
def test_an_answer_that_does_not_say_what_was_deleted_deletes_nothing(answer: Any) -> None:
    records = [message(number) for number in range(2)]
    left = SqsQueue(FakeCalls(answer), ARN).delete(records)
    assert [one.record for one in left] == records
    assert not any(one.expired for one in left)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("QueueDoesNotExist", SourceNotFoundError),
        ("AWS.SimpleQueueService.NonExistentQueue", SourceNotFoundError),
        ("RequestThrottled", ThrottledError),
        ("OverLimit", ThrottledError),
        ("InternalFailure", SourceError),
    ],
)
def test_an_error_says_what_is_wrong_with_the_queue(code: str, kind: type[SourceError]) -> None:
    with pytest.raises(SourceError) as raised:
        SqsQueue(FakeCalls(error(code)), ARN).receive(10, 20)
    assert type(raised.value) is kind


def test_the_url_of_a_queue_is_asked_for_once_and_again_when_the_queue_is_gone() -> None:
    calls = FakeCalls({}, {}, error("QueueDoesNotExist"), {})
    queue = SqsQueue(calls, ARN)
    queue.receive(10, 20)
    queue.receive(10, 20)
    with pytest.raises(SourceNotFoundError):
        queue.receive(10, 20)
    queue.receive(10, 20)
    assert [operation for operation, _ in calls.calls].count("GetQueueUrl") == 2


@pytest.mark.parametrize(
    ("answer", "ask"),
    [
        ({"Messages": [{"MessageId": "1"}]}, lambda queue: queue.receive(10, 20)),
        ({"Messages": ["?"]}, lambda queue: queue.receive(10, 20)),
        ({"Messages": 1}, lambda queue: queue.receive(10, 20)),
        ({"Attributes": {"VisibilityTimeout": "?"}}, SqsQueue.visibility_timeout),
        ({"Attributes": {}}, SqsQueue.visibility_timeout),
    ],
)
def test_an_answer_that_is_not_of_sqs_is_an_error_of_the_source(
    answer: dict[str, Any], ask: Callable[[SqsQueue], object]
) -> None:
    with pytest.raises(SourceError, match="the answer lacks"):
        ask(SqsQueue(FakeCalls(answer), ARN))


@pytest.mark.parametrize(("name", "ordered"), [("orders", False), ("orders.fifo", True)])
def test_the_name_tells_whether_a_queue_is_fifo(name: str, ordered: bool) -> None:
    arn = Arn.parse(f"arn:aws:sqs:us-east-1:123456789012:{name}")
    assert SqsQueue(FakeCalls(), arn).ordered is ordered


def test_the_visibility_timeout_is_kept_unless_the_window_takes_most_of_it() -> None:
    assert visibility_for(30, window=0) is None
    assert visibility_for(30, window=15) is None
    assert visibility_for(30, window=16) == 46
    assert visibility_for(0, window=300) == 300


@given(st.integers(0, LONGEST_VISIBILITY), st.integers(0, 300))
def test_a_message_stays_hidden_for_longer_than_its_window(timeout: int, window: int) -> None:
    asked = visibility_for(timeout, window)
    hidden = timeout if asked is None else asked
    assert min(window, timeout) <= hidden - window or hidden == LONGEST_VISIBILITY
    assert hidden <= LONGEST_VISIBILITY
