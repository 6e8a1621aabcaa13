"""Polling, batching, concurrency: when batches leave, how large they are, and where reading starts.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from pipes_conformance import counters
from pipes_functions import Event, Function
from pipes_service import PipesProcess
from pipes_sources import MakeSource, QueueSource, Run, Source, StreamSource, TableSource
from servers import AwsClient
from waiting import eventually

ALL = ["kinesis", "dynamodb", "sqs"]
STREAMS = ["kinesis", "dynamodb"]
LONGEST_WINDOW = 300
PAYLOAD_LIMIT = 6 * 1024 * 1024


def numbered(start: int, count: int) -> list[str]:
    return [f"{number:04}" for number in range(start, start + count)]


def batches(source: Source, events: list[Event]) -> list[list[str]]:
    return [source.words(event) for event in events]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("size", [1, 3])
def test_a_full_batch_leaves_at_once_and_the_rest_waits_for_its_window(
    kind: str, size: int, pipes: PipesProcess, source: MakeSource, run: Run
) -> None:
    made = source(kind)
    function = run(made, BatchSize=size, MaximumBatchingWindowInSeconds=LONGEST_WINDOW)
    sent = numbered(0, 3 * size)
    split = 2 * size + size // 2
    made.put(*sent[:split], key="one")
    # The rest has been read, and nothing is in its way. Had it left, the last batch would not be
    # full.
    eventually(lambda: counted(pipes, made, "read") == split)
    eventually(lambda: counted(pipes, made, "delivered") == 2 * size)
    made.put(*sent[split:], key="one")
    # A queue's batches go side by side.
    assert sorted(batches(made, function.invoked(3))) == [
        sent[start : start + size] for start in range(0, 3 * size, size)
    ]


def counted(pipes: PipesProcess, source: Source, what: str) -> int:
    """How many records of the source's pipe /metrics tells."""
    return int(counters(pipes)[source.name][what])


def test_a_batch_that_is_not_full_leaves_when_its_window_ends(
    aws: AwsClient, name: str, run: Run
) -> None:
    queue = QueueSource(aws, f"{name}-queue")
    running: list[tuple[Source, Function]] = []
    for made in (*streams_of(aws, name), queue):
        made.put("a", "b", key="one")
        running.append((made, run(made, BatchSize=100, MaximumBatchingWindowInSeconds=1)))
    for source, function in running:
        assert batches(source, function.invoked(1)) == [["a", "b"]]


def streams_of(aws: AwsClient, name: str) -> tuple[StreamSource, TableSource]:
    """One of each kind, for one wait to serve both."""
    return StreamSource(aws, f"{name}-stream"), TableSource(aws, f"{name}-table")


@pytest.mark.parametrize("kind", ALL)
def test_without_a_window_a_batch_leaves_as_soon_as_there_are_records(
    kind: str, source: MakeSource, run: Run
) -> None:
    made = source(kind)
    function = run(made)
    for number in range(3):
        made.put(f"{number}", key="one")
        function.invoked(number + 1)
    assert batches(made, function.invocations) == [["0"], ["1"], ["2"]]


@pytest.mark.parametrize(("kind", "size"), [("kinesis", 100), ("dynamodb", 100), ("sqs", 10)])
def test_the_default_batch_size_is_that_of_the_source(
    kind: str, size: int, source: MakeSource, run: Run
) -> None:
    made = source(kind)
    sent = numbered(0, size + 20)
    made.put(*sent)
    events = run(made).received(len(sent))
    assert sorted(chain.from_iterable(batches(made, events))) == sent
    assert max(map(len, events)) == size


def test_a_batch_leaves_before_its_payload_is_over_six_megabytes(
    stream: StreamSource, run: Run
) -> None:
    """A megabyte each in base64: five fit beside their members, and six do not."""
    for number in range(11):
        stream.put_data([(bytes([number]) * 786_432, "one")])
    function = run(stream, MaximumBatchingWindowInSeconds=LONGEST_WINDOW)
    events = function.received(10)[:2]
    assert [len(event) for event in events] == [5, 5]
    assert all(payload_size(event) <= PAYLOAD_LIMIT for event in events)
    assert payload_size(events[0]) * 6 / 5 > PAYLOAD_LIMIT


def payload_size(event: Event) -> int:
    """What the service sent, without the blanks that nobody needs."""
    return len(json.dumps(event, separators=(",", ":")))


class Crowd:
    """An answer that counts how many invocations there are at a time, until it is let go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0
        self.go = threading.Event()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.go.wait(60)
        with self._lock:
            self._inside -= 1


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_shard_has_as_many_batches_under_way_as_its_parallelization_factor(
    kind: str, factor: int, source: MakeSource, run: Run
) -> None:
    made = source(kind)
    sent = numbered(0, 24)
    made.put(*sent)
    crowd = Crowd()
    function = run(made, crowd, ParallelizationFactor=factor, BatchSize=2)
    try:
        eventually(lambda: crowd.most == factor)
    finally:
        crowd.go.set()
    events = function.received(24)
    assert sorted(chain.from_iterable(batches(made, events))) == sent
    assert crowd.most == factor


@pytest.mark.parametrize("kind", STREAMS)
def test_a_slow_key_holds_up_its_lane_only_and_every_key_keeps_its_order(
    kind: str, source: MakeSource, run: Run
) -> None:
    made = source(kind)
    keys = [f"key {number}" for number in range(16)]
    sent = {key: [f"{key}: {turn}" for turn in range(4)] for key in ["slow", *keys]}
    for turn in range(4):
        for key, of_key in sent.items():
            made.put(of_key[turn], key=key)
    released = threading.Event()

    def answer(event: Event) -> None:
        if any(word.startswith("slow") for word in made.words(event)):
            released.wait(60)

    function = run(made, answer, ParallelizationFactor=4, BatchSize=100)
    try:
        # A lane that has nothing of the slow key is done with; three of four are.
        eventually(lambda: len(whole_keys(made, function, sent)) >= len(keys) / 2)
    finally:
        released.set()
    function.received(sum(map(len, sent.values())))
    delivered = flat(made, function)
    for key, of_key in sent.items():
        assert [word for word in delivered if word.split(":")[0] == key] == of_key


def flat(source: Source, function: Function) -> list[str]:
    return [word for event in list(function.invocations) for word in source.words(event)]


def whole_keys(source: Source, function: Function, sent: dict[str, list[str]]) -> list[str]:
    """The keys of which everything was delivered."""
    delivered = set(flat(source, function))
    return [key for key, of_key in sent.items() if delivered.issuperset(of_key)]


def test_every_shard_is_read_and_every_key_keeps_its_order(source: MakeSource, run: Run) -> None:
    stream: StreamSource = source("kinesis", shards=4)
    sent = {key: [f"{key} {turn}" for turn in range(20)] for key in "abcdefgh"}
    stream.put_data([(sent[key][turn].encode(), key) for turn in range(20) for key in sent])
    function = run(stream, BatchSize=7)
    function.received(8 * 20)
    delivered = flat(stream, function)
    assert {key: [word for word in delivered if word[0] == key] for key in sent} == sent
    assert len({event[0]["eventID"].partition(":")[0] for event in function.invocations}) == 4


EXPECTED = {"TRIM_HORIZON": ["before", "after"], "LATEST": ["after"]}


def test_reading_starts_at_the_position_asked_for(aws: AwsClient, name: str, run: Run) -> None:
    made = {each: streams_of(aws, f"{name}-{each.lower()[:4]}") for each in EXPECTED}
    sources = [(position, each) for position, both in made.items() for each in both]
    for _, each in sources:
        each.put("before", key="one")
    next_second()
    running = [(run(each, StartingPosition=position), position, each) for position, each in sources]
    for function, position, each in running:
        each.put("after", key="one")
        function.received(len(EXPECTED[position]))
    assert [flat(each, function) for function, _, each in running] == [
        EXPECTED[position] for position, _ in sources
    ]


def test_reading_starts_at_a_time(stream: StreamSource, run: Run) -> None:
    stream.put("early", key="one")
    start = next_second()
    stream.put("late", key="one")
    function = run(
        stream,
        StartingPosition="AT_TIMESTAMP",
        StartingPositionTimestamp=datetime.fromtimestamp(start, UTC),
    )
    stream.put("last", key="one")
    function.received(2)
    assert flat(stream, function) == ["late", "last"]


def next_second() -> int:
    """The next whole second, once it is there: a table's stream dates its records by seconds."""
    begun = int(time.time())
    eventually(lambda: int(time.time()) > begun)
    return begun + 1


def test_a_service_that_is_killed_goes_on_after_the_last_record_that_was_delivered(
    mortal: PipesProcess, aws: AwsClient, name: str, run: Run
) -> None:
    made = {each: streams_of(aws, f"{name}-{each.lower()[:4]}") for each in EXPECTED}
    next_second()
    running: list[tuple[Source, Function]] = [
        (source, run(source, on=mortal, StartingPosition=position))
        for position, both in made.items()
        for source in both
    ]
    for count, word in enumerate("abc", 1):
        for source, _ in running:
            source.put(word, key="one")
        for _, function in running:
            function.received(count)
    mortal.kill()
    for source, _ in running:
        source.put("d", "e", key="one")
    mortal.start()
    eventually(lambda: all("e" in flat(*each) for each in running))
    for each in running:
        # The last batch may be delivered again: its checkpoint need not have been written.
        assert flat(*each) in (["a", "b", "c", "d", "e"], ["a", "b", "c", "c", "d", "e"])


def test_latest_is_the_moment_of_the_first_start(
    mortal: PipesProcess, aws: AwsClient, name: str, run: Run
) -> None:
    both = streams_of(aws, name)
    for each in both:
        each.put("before", key="one")
    next_second()
    running = [(each, run(each, on=mortal, StartingPosition="LATEST")) for each in both]
    mortal.kill()
    for each in both:
        each.put("while it was down", key="one")
    mortal.start()
    for each, function in running:
        function.received(1)
        assert flat(each, function) == ["while it was down"]


def test_a_batch_that_is_at_the_target_when_the_service_is_killed_comes_again(
    mortal: PipesProcess, aws: AwsClient, name: str, run: Run
) -> None:
    """With one batch of a shard under way, and with three."""
    sent = numbered(0, 30)
    held = threading.Event()
    running = []
    for factor in (1, 3):
        stream = StreamSource(aws, f"{name}-{factor}")
        stream.put(*sent)

        def answer(event: Event, stream: StreamSource = stream) -> None:
            if "0007" in stream.words(event):
                held.wait(60)

        function = run(stream, answer, on=mortal, ParallelizationFactor=factor, BatchSize=3)
        running.append((stream, function))

    def times(word: str) -> list[int]:
        return [flat(stream, function).count(word) for stream, function in running]

    try:
        eventually(lambda: times("0007") == [1, 1])
        mortal.kill()
    finally:
        held.set()
    mortal.start()
    eventually(lambda: times("0007") == [2, 2])
    eventually(lambda: all({*flat(*each)} == set(sent) for each in running))


def test_messages_at_the_target_of_a_killed_service_become_visible_again(
    mortal: PipesProcess, source: MakeSource, run: Run
) -> None:
    queue: QueueSource = source("sqs", attributes={"VisibilityTimeout": "1"})
    queue.put("a")
    held = threading.Event()

    def answer(event: Event) -> None:
        held.wait(60)

    function = run(queue, answer, on=mortal)
    try:
        function.invoked(1)
        mortal.kill()
    finally:
        held.set()
    queue.put("b")
    assert queue.left() == 2
    mortal.start()
    # The emulator may give it once more to the receive of the service that is dead.
    eventually(lambda: queue.left() == 0)
    assert set(flat(queue, function)) == {"a", "b"}
    assert flat(queue, function).count("a") > 1


@pytest.mark.parametrize("kind", ["sqs", "fifo"])
def test_messages_are_deleted_when_the_target_took_them(
    kind: str, source: MakeSource, run: Run
) -> None:
    queue: QueueSource = source(kind)
    held = threading.Event()

    def answer(event: Event) -> Any:
        held.wait(60)

    queue.put("a", "b", "c", key="one")
    function = run(queue, answer)
    try:
        function.invoked(1)
        assert queue.left() == 3
    finally:
        held.set()
    eventually(lambda: queue.left() == 0)
    assert flat(queue, function) == ["a", "b", "c"]
