"""The emulator of the embedded target, where streams are split and merged: as on AWS."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from inventory_aws.stream import read_all
from servers import AwsClient
from waiting import eventually

KEYS = [f"P{n}" for n in range(12)]
HASH_KEYS = 2**128


@pytest.fixture
def kinesis(aws: AwsClient) -> Any:
    return aws("kinesis")


@pytest.fixture
def stream(kinesis: Any) -> Iterator[str]:
    """Of two shards, with a record of each key."""
    name = f"resharded-{uuid.uuid4().hex[:10]}"
    kinesis.create_stream(StreamName=name, ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    put(kinesis, name)
    yield name
    kinesis.delete_stream(StreamName=name)


def put(kinesis: Any, stream: str) -> dict[str, list[int]]:
    """A record of each key; their sequence numbers by shard."""
    answer = kinesis.put_records(
        StreamName=stream, Records=[{"PartitionKey": key, "Data": key.encode()} for key in KEYS]
    )
    placed: dict[str, list[int]] = {}
    for record in answer["Records"]:
        placed.setdefault(record["ShardId"], []).append(int(record["SequenceNumber"]))
    return placed


def shards(kinesis: Any, stream: str) -> dict[str, Any]:
    return {shard["ShardId"]: shard for shard in kinesis.list_shards(StreamName=stream)["Shards"]}


def is_open(shard: Any) -> bool:
    return "EndingSequenceNumber" not in shard["SequenceNumberRange"]


def iterator(kinesis: Any, stream: str, shard_id: str, kind: str = "TRIM_HORIZON") -> str:
    answer = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id, ShardIteratorType=kind)
    found: str = answer["ShardIterator"]
    return found


def split(kinesis: Any, stream: str, shard_id: str) -> None:
    hash_keys = shards(kinesis, stream)[shard_id]["HashKeyRange"]
    first, last = int(hash_keys["StartingHashKey"]), int(hash_keys["EndingHashKey"])
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard_id, NewStartingHashKey=str((first + last) // 2)
    )


def test_unread_records_of_a_split_shard_can_still_be_read(kinesis: Any, stream: str) -> None:
    parent, *_ = shards(kinesis, stream)
    before = iterator(kinesis, stream, parent)
    split(kinesis, stream, parent)

    page = kinesis.get_records(ShardIterator=before, Limit=2)
    assert len(page["Records"]) == 2
    page = kinesis.get_records(ShardIterator=page["NextShardIterator"])
    assert page["Records"]
    assert "NextShardIterator" not in page
    listed = shards(kinesis, stream)
    children = [s for s in listed if listed[s].get("ParentShardId") == parent]
    assert [child["ShardId"] for child in page["ChildShards"]] == children
    assert {tuple(child["ParentShards"]) for child in page["ChildShards"]} == {(parent,)}

    after_its_end = kinesis.get_records(
        ShardIterator=iterator(kinesis, stream, parent, kind="LATEST")
    )
    assert after_its_end["Records"] == []
    assert "NextShardIterator" not in after_its_end


def test_new_records_go_to_the_children_with_greater_numbers(kinesis: Any, stream: str) -> None:
    parent, other = shards(kinesis, stream)
    split(kinesis, stream, parent)
    placed = put(kinesis, stream)
    listed = shards(kinesis, stream)
    assert parent not in placed
    assert set(placed) == {s for s in listed if is_open(listed[s])}
    ending = int(listed[parent]["SequenceNumberRange"]["EndingSequenceNumber"])
    for child in placed.keys() - {other}:
        begins = int(listed[child]["SequenceNumberRange"]["StartingSequenceNumber"])
        assert ending < begins < min(placed[child])


def test_a_merged_shard_has_two_parents_which_keep_their_records(kinesis: Any, stream: str) -> None:
    first, second = shards(kinesis, stream)
    kinesis.merge_shards(StreamName=stream, ShardToMerge=first, AdjacentShardToMerge=second)
    [child] = [shard for shard in shards(kinesis, stream).values() if is_open(shard)]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (first, second)
    put(kinesis, stream)
    found = [(record.shard_id, record.data) for record in read_all(kinesis, stream)]
    assert sorted(data for shard, data in found if shard != child["ShardId"]) == sorted(
        key.encode() for key in KEYS
    )
    assert [data for shard, data in found if shard == child["ShardId"]] == [
        key.encode() for key in KEYS
    ]


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_update_shard_count_splits_and_merges_into_equal_shards(
    count: int, kinesis: Any, stream: str
) -> None:
    answer = kinesis.update_shard_count(
        StreamName=stream, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
    )
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (2, count)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == count
    ranges = [
        (int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]))
        for shard in shards(kinesis, stream).values()
        if is_open(shard)
    ]
    starts = [first for first, _ in sorted(ranges)]
    assert starts == [n * (HASH_KEYS // count) for n in range(count)]
    assert [last + 1 for _, last in sorted(ranges)] == [*starts[1:], HASH_KEYS]
    put(kinesis, stream)
    assert len(read_all(kinesis, stream)) == 2 * len(KEYS)


def test_a_closed_shard_cannot_be_split_or_merged(kinesis: Any, stream: str) -> None:
    first, second = shards(kinesis, stream)
    split(kinesis, stream, first)
    with pytest.raises(kinesis.exceptions.InvalidArgumentException, match="not eligible"):
        split(kinesis, stream, first)
    with pytest.raises(kinesis.exceptions.InvalidArgumentException, match="not eligible"):
        kinesis.merge_shards(StreamName=stream, ShardToMerge=first, AdjacentShardToMerge=second)
    eventually(lambda: len(read_all(kinesis, stream)) == len(KEYS))
