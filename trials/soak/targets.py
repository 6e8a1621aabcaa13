"""The targets of a pipe, and what they saw: a function, a FIFO queue, a dead-letter queue."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from soak.answers import Answer, Request, refusal
from soak.evidence import Call, GivenUp
from soak.faults import Fault
from soak.stream import Put, Stream
from soak.traffic import is_poison


class Function:
    """Takes records, all, some or none of them.

    Poison it never takes. Others it fails by order, each once with a function error and once by
    `batchItemFailures` at most, so that no run of bad luck uses up the attempts of a record. As a
    function that cares for order does, it fails what follows a failed record with its key.
    """

    def __init__(self, stream: Stream, seed: str) -> None:
        self.calls: list[Call] = []
        self._stream = stream
        self._random = Random(seed)
        self._lock = threading.Lock()
        self._errors: set[int] = set()
        self._failures: set[int] = set()

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        if request.operation != "Invoke":
            return Answer({})
        with self._lock:
            events = request.arguments
            records = [self._stream.records[int(event["sequenceNumber"])] for event in events]
            failed = self._failed(records, fault)
            call = seen(request.life, events, records, failed or ())
            self.calls.append(call)
        if failed is None:
            raised = {"errorType": "ValueError", "errorMessage": "by order of the soak"}
            call.taken = frozenset()
            return Answer(
                raised, headers={"X-Amz-Function-Error": "Unhandled"}, given=answered(call)
            )
        items = [
            {"itemIdentifier": event["eventID"]}
            for event, record in zip(events, records, strict=True)
            if record.number in failed
        ]
        return Answer({"batchItemFailures": items}, given=answered(call))

    def _failed(self, records: Sequence[Put], fault: Fault | None) -> set[int] | None:
        """The numbers of those that fail; None when the function itself does."""
        poison = [record for record in records if is_poison(record.data)]
        if any(record.number % 2 for record in poison):
            return None
        if fault is Fault.ERROR and records[0].number not in self._errors:
            self._errors.add(records[0].number)
            return None
        chosen = {record.number for record in poison}
        if fault is Fault.PARTIAL:
            chosen |= draw(records, self._failures, self._random)
        return with_followers(records, chosen)


class Queue:
    """A FIFO queue whose groups are partition keys, and the dead-letter queue beside it."""

    def __init__(self, stream: Stream, seed: str) -> None:
        self.calls: list[Call] = []
        self.given_up: list[GivenUp] = []
        self._stream = stream
        self._random = Random(seed)
        self._lock = threading.Lock()
        self._failures: set[int] = set()

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        match request.operation:
            case "GetQueueUrl":
                return Answer({"QueueUrl": f"http://queue/{request.arguments['QueueName']}"})
            case "SendMessageBatch":
                return self._messages(request, fault)
            case "SendMessage":
                return self._dead_letter(request)
        return refusal(400, "UnknownOperationException")

    def _messages(self, request: Request, fault: Fault | None) -> Answer:
        entries = request.arguments["Entries"]
        with self._lock:
            events = [json.loads(entry["MessageBody"]) for entry in entries]
            records = [self._stream.records[int(event["sequenceNumber"])] for event in events]
            chosen = set()
            if fault is Fault.PARTIAL:
                chosen = draw(records, self._failures, self._random)
            failed = with_followers(records, chosen)
            call = seen(request.life, events, records, failed)
            self.calls.append(call)
            ours = self._random.random() < 0.5
        content: dict[str, list[Any]] = {"Successful": [], "Failed": []}
        for entry, record in zip(entries, records, strict=True):
            if record.number in failed:
                wrong = {"Id": entry["Id"], "Code": "InternalError", "SenderFault": not ours}
                content["Failed"].append(wrong)
            else:
                sent = {"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": ""}
                content["Successful"].append(sent)
        return Answer(content, given=answered(call))

    def _dead_letter(self, request: Request) -> Answer:
        body = json.loads(request.arguments["MessageBody"])["KinesisBatchInfo"]
        first, last = int(body["startSequenceNumber"]), int(body["endSequenceNumber"])
        named = (self._stream.records[number] for number in range(first, last + 1))
        numbers = tuple(record.number for record in named if record.shard == body["shardId"])
        message = GivenUp(request.life, numbers)
        with self._lock:
            self.given_up.append(message)
        return Answer({"MessageId": "1", "MD5OfMessageBody": ""}, given=answered(message))


def seen(life: int, events: Sequence[Any], records: Sequence[Put], failed: Iterable[int]) -> Call:
    numbers = tuple(record.number for record in records)
    altered = tuple(
        record.number
        for event, record in zip(events, records, strict=True)
        if not _is_as_put(event, record)
    )
    taken = frozenset(numbers) - set(failed)
    return Call(life, time.monotonic(), numbers, taken, altered=altered)


def answered(seen: Call | GivenUp) -> Callable[[], None]:
    def note() -> None:
        seen.answered = time.monotonic()

    return note


def draw(records: Sequence[Put], before: set[int], random: Random) -> set[int]:
    """Some of `records` that were not drawn before; now they are."""
    fresh = [record.number for record in records if record.number not in before]
    drawn = set(random.sample(fresh, min(len(fresh), random.randint(1, 3))))
    before |= drawn
    return drawn


def with_followers(records: Sequence[Put], chosen: set[int]) -> set[int]:
    """`chosen`, and what comes after one of them with the same key."""
    failed: dict[str, set[int]] = defaultdict(set)
    for record in records:
        if record.number in chosen or record.key in failed:
            failed[record.key].add(record.number)
    return set().union(*failed.values())


def _is_as_put(event: Any, record: Put) -> bool:
    return (
        base64.b64decode(event["data"]) == record.data
        and event["partitionKey"] == record.key
        and event["eventID"] == f"{record.shard}:{record.number}"
        and event["approximateArrivalTimestamp"] == record.arrived
    )
