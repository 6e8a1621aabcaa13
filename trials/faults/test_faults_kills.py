"""The Pipes service is killed: between reading a batch and recording its position, and beyond."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pytest

from faults.effects import doing, function_error
from faults.events import Payload, mixed
from faults.exchange import Request
from faults.launcher import DIES
from faults.line import BATCH_SIZE, Line
from faults.plan import ALWAYS, on
from operations.verify.explain import RecordStatus
from stack import Stack

BETWEEN = "Pipes service, killed"

MARK = "poison"

POINTS = {
    "a page is read, not taken in": "before runners.backlog Backlog put",
    "a page is taken in": "after runners.backlog Backlog put",
    "a batch is cut": "after runners.backlog Backlog take",
    "before Invoke": "before execution.executor Executor execute",
    "Invoke is answered": "after execution.executor Executor execute",
    "a batch is done, unrecorded": "before runners.backlog Progress done",
    "before the position's write": "before store Store advance",
    "in the position's write": "in store Store advance",
    "after the position's write": "after store Store advance",
}
"""Before, in or after which function of the service its process ends."""


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_it_goes_on_where_it_was_whatever_it_was_at(point: str, line: Line) -> None:
    """Twice: at the first call of that function, and in the next life at the second."""
    payloads = mixed(seed=7)
    for nth in range(2):
        line.restart_pipes(**{DIES: f"{point} {nth}"})
        line.put(payloads[nth * 150 : (nth + 1) * 150])
        line.await_arranged_death()
    line.parts.start_pipes()
    line.put(payloads[300:])
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


@pytest.mark.parametrize(
    ("when", "nth"),
    [("before", 0), ("before", 3), ("after", 0), ("after", 3)],
    ids=[
        "the first Invoke is sent",
        "a later Invoke is sent",
        "the function has run, first",
        "the function has run, later",
    ],
)
def test_a_batch_at_the_function_comes_again(when: str, nth: int, line: Line) -> None:
    line.inject(on("Invoke", doing(**{when: line.parts.kill_pipes}), [nth]))
    line.put(mixed(seed=8))
    line.await_death()
    line.parts.start_pipes()
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


@pytest.mark.parametrize(
    "point", ["before", "after"], ids=["before a shard's end is written", "after that"]
)
def test_a_shard_that_is_closed_is_read_to_its_end(point: str, line: Line) -> None:
    line.restart_pipes(**{DIES: f"{point} store Store finish 0"})
    payloads = mixed(seed=9)
    line.put(payloads[:200])
    kinesis, stream = line.stack.clients.kinesis, line.stack.names.stream
    shard, *_ = kinesis.list_shards(StreamName=stream)["Shards"]
    ends = shard["HashKeyRange"]
    middle = (int(ends["StartingHashKey"]) + int(ends["EndingHashKey"])) // 2
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
    )
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    line.put(payloads[200:])
    line.await_arranged_death()
    line.parts.start_pipes()
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


class TestDeadLettering:
    """Of a record that the function never takes."""

    @pytest.fixture
    def stack(self, led_stack: Stack) -> Stack:
        return led_stack

    @pytest.fixture
    def settings(self) -> Mapping[str, str]:
        return {"BATCH_SIZE": str(BATCH_SIZE), "MAX_RETRY_ATTEMPTS": "1"}

    @pytest.mark.parametrize(
        "point",
        ["before", "after"],
        ids=["a dead letter is sent", "a dead letter is there, unanswered"],
    )
    def test_its_dead_letter_is_not_lost(self, point: str, line: Line) -> None:
        line.inject(
            on("Invoke", function_error("ValueError", "poison", ran=False), ALWAYS, is_poisoned),
            on("SendMessage Publish", doing(**{point: line.parts.kill_pipes}), [0]),
        )
        line.put([*mixed(seed=10), poison(), *mixed(seed=11, count=50)])
        line.await_death()
        line.parts.start_pipes()
        statuses = line.come_through()
        assert statuses[RecordStatus.DEAD_LETTERED] == 1
        assert len(line.dead_letters()) == (2 if point == "after" else 1)


def poison() -> Payload:
    product = {"product_id": "P1", "quantity_change": 1}
    event = {"event_type": "product_quantity_changed", "event_id": MARK, "product": product}
    return "P1", json.dumps(event).encode()


def is_poisoned(request: Request) -> bool:
    return any(
        MARK.encode() in base64.b64decode(record["data"]) for record in json.loads(request.body)
    )
