"""The stream of the soak is what its verdict rests on: it has to be as Kinesis is."""

from __future__ import annotations

from itertools import pairwise

import pytest

from soak.memory import MIB, growth
from soak.plan import SHORTEST_LIFE, plan
from soak.stream import HASH_KEYS, Put, Stream

KEYS = [f"key {i}" for i in range(50)]


def put(stream: Stream, keys: list[str]) -> dict[str, Put]:
    return {key: stream.put(key, b"data") for key in keys}


def hash_keys(stream: Stream) -> list[tuple[int, int]]:
    return [(shard.first, shard.last) for shard in stream.open_shards()]


def is_whole(stream: Stream) -> bool:
    """Whether the open shards have every hash key, and each once."""
    ranges = hash_keys(stream)
    ends = (ranges[0][0], ranges[-1][1]) == (0, HASH_KEYS - 1)
    return ends and all(one[1] + 1 == other[0] for one, other in pairwise(ranges))


def test_a_shard_that_was_split_keeps_its_records_and_gets_no_more() -> None:
    stream = Stream(1)
    before = put(stream, KEYS)
    stream.split("shardId-000000000000")
    after = put(stream, KEYS)
    old = stream.read("shardId-000000000000", 0, 1000)
    assert [record.number for record in old.records] == [r.number for r in before.values()]
    assert old.next is None
    assert {record.shard for record in after.values()} == {
        "shardId-000000000001",
        "shardId-000000000002",
    }


def test_a_closed_shard_ends_where_its_last_record_is() -> None:
    stream = Stream(1)
    put(stream, KEYS[:2])
    stream.split("shardId-000000000000")
    assert stream.read("shardId-000000000000", 0, 1).next == 1
    assert stream.read("shardId-000000000000", 1, 1).next is None


def test_an_open_shard_has_no_end() -> None:
    assert Stream(1).read("shardId-000000000000", 0, 10).next == 0


def test_a_merged_shard_has_two_parents_and_all_their_keys() -> None:
    stream = Stream(4)
    one, other = stream.open_shards()[1:3]
    stream.merge(one.id, other.id)
    child = stream.shards()[-1]
    assert child.parents == (one.id, other.id)
    assert (child.first, child.last) == (one.first, other.last)
    assert not one.open
    assert not other.open


def test_the_open_shards_have_every_hash_key_once() -> None:
    stream = Stream(3)
    assert is_whole(stream)
    stream.split(stream.open_shards()[1].id)
    assert is_whole(stream)
    stream.merge(*(shard.id for shard in stream.open_shards()[:2]))
    assert is_whole(stream)


def test_the_numbers_of_a_key_grow_over_a_reshard() -> None:
    stream = Stream(2)
    numbers = [stream.put("key", b"").number]
    stream.split(stream.open_shards()[0].id)
    stream.split(stream.open_shards()[-1].id)
    numbers.append(stream.put("key", b"").number)
    assert numbers == sorted(numbers)


def test_reading_goes_on_behind_a_record_of_the_shard_only() -> None:
    stream = Stream(1)
    records = list(put(stream, KEYS[:3]).values())
    place = stream.place_after("shardId-000000000000", records[0].number)
    assert stream.read("shardId-000000000000", place, 10).records == records[1:]
    with pytest.raises(ValueError, match="is not in"):
        stream.place_after("shardId-000000000000", records[-1].number + 1)


def test_a_seed_names_a_plan() -> None:
    assert plan(1, 600) == plan(1, 600)
    assert plan(1, 600) != plan(2, 600)


def test_each_life_has_its_time_and_the_kills_fit_in_the_soak() -> None:
    kills = plan(1, 600).kills
    ends = [0.0, *(kill.at + kill.pause for kill in kills)]
    assert all(kill.at - end >= SHORTEST_LIFE for kill, end in zip(kills, ends, strict=False))
    assert kills[-1].at < 600


def test_memory_is_compared_from_the_second_minute_on() -> None:
    sizes = [20, 60, 61, 69]
    samples = [(60 * minute + 1.0, size * MIB) for minute, size in enumerate(sizes)]
    assert growth(samples, 240).minutes == (20, 60, 61, 69)
    assert growth(samples, 240).mib == 9
    assert growth(samples, 240).is_too_much
    assert not growth(samples, 180).is_too_much


def test_two_minutes_tell_nothing_of_memory() -> None:
    found = growth([(1.0, MIB), (61.0, 900 * MIB)], 120)
    assert not found.is_known
    assert not found.is_too_much
