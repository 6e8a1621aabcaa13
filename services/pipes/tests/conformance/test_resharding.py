"""Resharding: parents are drained before their children, and nothing is lost on the way.

Kinesis is moto's here, its resharding put right (see `moto_server`); the function is MiniStack's,
as everywhere. MiniStack's own Kinesis drops the parents of a split or merge, records and all, and
its sequence numbers have 30 digits, where AWS's have 56.
https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

import pytest

from moto_process import Moto
from pipes_functions import Event, Function
from pipes_service import PipesProcess
from pipes_sources import Run, StreamSource
from waiting import eventually

KEYS = [f"key {number}" for number in range(12)]
MIDDLE = str(2**126)
"""Within the first of two shards."""


def split(kinesis: Any, stream: str) -> None:
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard(0), NewStartingHashKey=MIDDLE)


def merge(kinesis: Any, stream: str) -> None:
    kinesis.merge_shards(StreamName=stream, ShardToMerge=shard(0), AdjacentShardToMerge=shard(1))


def split_and_merge(kinesis: Any, stream: str) -> None:
    """One child goes on with the second shard: a grandchild, whose parents end at other times."""
    split(kinesis, stream)
    kinesis.merge_shards(StreamName=stream, ShardToMerge=shard(3), AdjacentShardToMerge=shard(1))


def to_count(count: int) -> Callable[[Any, str], None]:
    def update(kinesis: Any, stream: str) -> None:
        kinesis.update_shard_count(
            StreamName=stream, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
        )

    return update


def shard(number: int) -> str:
    return f"shardId-{number:012}"


class Reshard(NamedTuple):
    name: str
    carry_out: Callable[[Any, str], None]


SPLIT_AND_MERGE = Reshard("split and merge", split_and_merge)
RESHARDS = [
    Reshard("split", split),
    Reshard("merge", merge),
    SPLIT_AND_MERGE,
    Reshard("twice as many", to_count(4)),
    Reshard("half as many", to_count(1)),
    Reshard("half as many again", to_count(3)),
]


@pytest.fixture
def stream(moto: Moto, name: str) -> StreamSource:
    return StreamSource(moto.aws, name, shards=2)


def put_round(stream: StreamSource, turn: int) -> None:
    """A record for each key."""
    stream.put_data([(f"{key}: {turn}".encode(), key) for key in KEYS])


def parents(stream: StreamSource) -> dict[str, set[str]]:
    """Of each shard that was resharded, its parents."""
    listed = stream.aws("kinesis").list_shards(StreamName=stream.name)["Shards"]
    names = ("ParentShardId", "AdjacentParentShardId")
    return {each["ShardId"]: {each[name] for name in names if name in each} for each in listed}


def records(function: Function) -> list[dict[str, Any]]:
    return list(chain.from_iterable(list(function.invocations)))


def in_order(stream: StreamSource, function: Function, turns: int) -> bool:
    """Whether each key's records of so many rounds came, all of them, one after the other."""
    words = [word for event in list(function.invocations) for word in stream.words(event)]
    first_seen = list(dict.fromkeys(words))
    for key in KEYS:
        of_key = [word for word in first_seen if word.startswith(f"{key}: ")]
        assert of_key == [f"{key}: {turn}" for turn in range(turns)]
    return True


def parents_first(stream: StreamSource, function: Function) -> None:
    shards = [record["eventID"].partition(":")[0] for record in records(function)]
    for child, of_child in parents(stream).items():
        for parent in of_child & set(shards):
            if child in shards:
                ended = len(shards) - shards[::-1].index(parent)
                assert ended <= shards.index(child), (parent, child)


@pytest.mark.parametrize(
    ("reshard", "lanes"),
    [(each, 1) for each in RESHARDS] + [(SPLIT_AND_MERGE, 3)],
    ids=lambda value: getattr(value, "name", value),
)
def test_parents_that_hold_records_are_drained_before_their_children(
    reshard: Reshard,
    lanes: int,
    stream: StreamSource,
    moto: Moto,
    beside_moto: PipesProcess,
    run: Run,
) -> None:
    for turn in range(5):
        put_round(stream, turn)
    reshard.carry_out(moto.aws("kinesis"), stream.name)
    for turn in range(5, 10):
        put_round(stream, turn)
    function = run(stream, on=beside_moto, BatchSize=7, ParallelizationFactor=lanes)
    eventually(lambda: in_order(stream, function, turns=10))
    parents_first(stream, function)
    assert set(Counter(record["eventID"] for record in records(function)).values()) == {1}


@pytest.mark.parametrize(
    "reshard", [SPLIT_AND_MERGE, RESHARDS[-1]], ids=lambda reshard: reshard.name
)
def test_a_stream_resharded_while_it_is_read_loses_nothing_and_keeps_the_order(
    reshard: Reshard, stream: StreamSource, moto: Moto, beside_moto: PipesProcess, run: Run
) -> None:
    function = run(stream, on=beside_moto, BatchSize=7)
    for turn in range(10):
        put_round(stream, turn)
        if turn == 4:
            function.invoked(1)
            reshard.carry_out(moto.aws("kinesis"), stream.name)
    eventually(lambda: in_order(stream, function, turns=10))
    parents_first(stream, function)
    assert set(Counter(record["eventID"] for record in records(function)).values()) == {1}


def test_a_service_that_is_killed_while_a_parent_is_drained_goes_on_with_the_parent(
    stream: StreamSource, moto: Moto, beside_moto: PipesProcess, run: Run
) -> None:
    released = threading.Event()

    def answer(event: Event) -> None:
        if "key 3: 2" in stream.words(event):
            released.wait(60)

    for turn in range(4):
        put_round(stream, turn)
    split(moto.aws("kinesis"), stream.name)
    for turn in range(4, 6):
        put_round(stream, turn)
    function = run(stream, answer, on=beside_moto, BatchSize=5)
    try:
        eventually(lambda: any("key 3: 2" in stream.words(event) for event in function.invocations))
        beside_moto.kill()
    finally:
        released.set()
    beside_moto.start()
    eventually(lambda: in_order(stream, function, turns=6))


def test_a_service_that_is_killed_goes_on_after_a_number_of_56_digits(
    stream: StreamSource, beside_moto: PipesProcess, run: Run
) -> None:
    put_round(stream, 0)
    function = run(stream, on=beside_moto)
    eventually(lambda: in_order(stream, function, turns=1))
    put_round(stream, 1)
    eventually(lambda: in_order(stream, function, turns=2))
    beside_moto.kill()
    put_round(stream, 2)
    beside_moto.start()
    eventually(lambda: in_order(stream, function, turns=3))
    assert all(re.fullmatch(r"\d{56}", record["sequenceNumber"]) for record in records(function))
    # The last batch of each shard may come again, and no record of the round before it.
    words = Counter(chain.from_iterable(map(stream.words, function.invocations)))
    assert all(times == 1 for word, times in words.items() if not word.endswith(": 1"))


def test_reads_that_are_refused_are_made_up_for(
    moto: Moto, beside_moto: PipesProcess, name: str, run: Run
) -> None:
    """Expired iterators, throttling and internal failures, again and again."""
    stream = StreamSource(moto.aws, f"moody-{name}", shards=2)
    function = run(stream, on=beside_moto, BatchSize=5)
    for turn in range(3):
        put_round(stream, turn)
        function.received(len(KEYS) * (turn + 1))
    assert in_order(stream, function, turns=3)
    assert set(Counter(record["eventID"] for record in records(function)).values()) == {1}


def test_a_stream_that_is_made_again_is_read_from_its_beginning(
    stream: StreamSource, moto: Moto, beside_moto: PipesProcess, run: Run
) -> None:
    put_round(stream, 0)
    function = run(stream, on=beside_moto)
    eventually(lambda: in_order(stream, function, turns=1))
    moto.aws("kinesis").delete_stream(StreamName=stream.name)
    eventually(lambda: told_of_trouble(beside_moto, stream))
    stream.shards = 3
    stream.create()
    put_round(stream, 1)
    eventually(lambda: in_order(stream, function, turns=2))


def test_an_emulator_that_comes_back_empty_is_read_when_the_stream_is_there_again(
    stream: StreamSource, moto: Moto, beside_moto: PipesProcess, run: Run
) -> None:
    put_round(stream, 0)
    function = run(stream, on=beside_moto)
    eventually(lambda: in_order(stream, function, turns=1))
    moto.kill()
    eventually(lambda: told_of_trouble(beside_moto, stream))
    moto.start()
    stream.create()
    put_round(stream, 1)
    eventually(lambda: in_order(stream, function, turns=2))
    assert beside_moto.client().describe_pipe(Name=stream.name)["CurrentState"] == "RUNNING"


def told_of_trouble(pipes: PipesProcess, stream: StreamSource) -> bool:
    lines = pipes.log.read_text().splitlines()
    return any(f"{stream.name}: cannot" in line for line in lines)
