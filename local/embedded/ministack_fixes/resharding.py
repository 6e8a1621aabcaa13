"""A shard that was split or merged stays, closed, until its records have expired.

MiniStack 1.5.33: `_split_shard` and `_merge_shards` in `services/kinesis.py` delete the parents,
with every record in them that was not read. Here a closed shard keeps its records and is listed
with its ending sequence number until they have expired (`record_expiry`). It takes no records,
and cannot be split or merged again. Its reader learns where it ends, and which are its children.
SubscribeToShard and event source mappings are as they were: they read a child beside its parent. A
mapping also skips what a new shard holds when it first sees it, and ignores partial failures.
AWS: https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html

To report:
    Kinesis: SplitShard and MergeShards delete the parent shard and its unread records

    Expected: the parent is CLOSED. It is listed with its EndingSequenceNumber and can be read until
    its records expire. At its end, GetRecords returns ChildShards and no NextShardIterator.
    To see it:
        kinesis.create_stream(StreamName="s", ShardCount=1)
        kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="p")
        parent = {"StreamName": "s", "ShardId": "shardId-000000000000"}
        kinesis.split_shard(
            StreamName="s", ShardToSplit=parent["ShardId"], NewStartingHashKey=str(2**127))
        kinesis.get_shard_iterator(**parent, ShardIteratorType="TRIM_HORIZON")  # not found
    Proposed change: keep the parents in `stream["shards"]` with an ending sequence number. Leave
    such shards out of `_route_to_shard` and of OpenShardCount.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.services import kinesis

Shard = dict[str, Any]
Stream = dict[str, Any]
Request = dict[str, Any]
Answer = tuple[int, dict[str, str], Any]
Operation = Callable[[Request], Answer]

ENDING = "ending_sequence_number"
CLOSED_AT = "closed_at"


def apply() -> None:
    kinesis._split_shard = _closing(kinesis._split_shard, "ShardToSplit")
    kinesis._merge_shards = _closing(kinesis._merge_shards, "ShardToMerge", "AdjacentShardToMerge")
    kinesis._get_records = _ending(kinesis._get_records)
    kinesis._describe_stream_summary = _counting_open(kinesis._describe_stream_summary)
    kinesis._shard_out = _with_end(kinesis._shard_out)
    kinesis._route_to_shard = _route


def _closing(reshard: Operation, *parameters: str) -> Operation:
    """`reshard`, but the shards that its `parameters` name stay, closed."""

    def resharded(data: Request) -> Answer:
        _, stream = kinesis._resolve_stream(data)
        shards = stream["shards"] if stream else {}
        parents = {data[p]: shards[data[p]] for p in parameters if data.get(p) in shards}
        for shard_id, shard in parents.items():
            if ENDING in shard:
                return _refused(
                    f"Shard {shard_id} in stream {stream['StreamName']} has already been merged "
                    "or split, and thus is not eligible for merging or splitting."
                )
        # It is taken before those that the children start with.
        end = {ENDING: kinesis._next_sequence_number(), CLOSED_AT: time.time()}
        answer = reshard(data)
        for shard_id, shard in parents.items():
            if shard_id not in shards:
                shards[shard_id] = shard | end
        return answer

    return resharded


def _ending(get_records: Operation) -> Operation:
    """GetRecords, which at the end of a closed shard returns its children and no next iterator."""

    def page(data: Request) -> Answer:
        answer = get_records(data)
        if answer[0] != 200:
            return answer
        read = kinesis._shard_iterators[data["ShardIterator"]]
        stream: Stream = kinesis._streams[read["stream"]]
        shard = stream["shards"][read["shard_id"]]
        if ENDING not in shard:
            return answer
        content = json.loads(answer[2])
        following = kinesis._shard_iterators[content["NextShardIterator"]]
        if following["position"] < len(shard["records"]):
            return answer
        del kinesis._shard_iterators[content.pop("NextShardIterator")]
        return respond({**content, "ChildShards": _children(stream, read["shard_id"])})

    return page


def _children(stream: Stream, parent: str) -> list[dict[str, Any]]:
    shards = [(shard_id, _parents(shard), shard) for shard_id, shard in stream["shards"].items()]
    return [
        {
            "ShardId": shard_id,
            "ParentShards": parents,
            "HashKeyRange": kinesis._shard_out(shard_id, shard)["HashKeyRange"],
        }
        for shard_id, parents, shard in sorted(shards, key=lambda each: each[0])
        if parent in parents
    ]


def _parents(shard: Shard) -> list[str]:
    return [p for p in (shard["parent_shard_id"], shard["adjacent_parent_shard_id"]) if p]


def _counting_open(describe: Operation) -> Operation:
    """DescribeStreamSummary, which counts the open shards only."""

    def described(data: Request) -> Answer:
        answer = describe(data)
        _, stream = kinesis._resolve_stream(data)
        if answer[0] != 200 or stream is None:
            return answer
        content = json.loads(answer[2])
        content["StreamDescriptionSummary"]["OpenShardCount"] = len(open_shards(stream))
        return respond(content)

    return described


def _with_end(shard_out: Callable[[str, Shard], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def out(shard_id: str, shard: Shard) -> dict[str, Any]:
        shown = shard_out(shard_id, shard)
        if ENDING in shard:
            shown["SequenceNumberRange"]["EndingSequenceNumber"] = shard[ENDING]
        return shown

    return out


def _route(hash_key: int, stream: Stream) -> str:
    """Return the id of the open shard that takes the key."""
    return next(
        shard_id
        for shard_id, shard in open_shards(stream).items()
        if starting_key(shard) <= hash_key <= int(shard["ending_hash_key"])
    )


def open_shards(stream: Stream) -> dict[str, Shard]:
    return {shard_id: shard for shard_id, shard in stream["shards"].items() if ENDING not in shard}


def starting_key(shard: Shard) -> int:
    return int(shard["starting_hash_key"])


def respond(content: dict[str, Any]) -> Answer:
    answer: Answer = kinesis.json_response(content)
    return answer


def _refused(message: str) -> Answer:
    answer: Answer = kinesis.error_response_json("InvalidArgumentException", message, 400)
    return answer
