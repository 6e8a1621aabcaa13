"""The Kinesis of MiniStack, made to reshard as AWS does.

As it comes, a shard that is split or merged is dropped, with every record in it that was not read,
and UpdateShardCount drops them all and gives their ids to new ones. Here a closed shard stays:

- it keeps its records, and is listed with its ending sequence number, until they have expired
  (see `expiry`);
- it takes no records, and cannot be split or merged again;
- its reader is told where it ends, and which shards are its children;
- UpdateShardCount splits and merges, by way of short-lived shards where it has to.

SubscribeToShard and event source mappings are as they were: they read a child beside its parent. A
mapping also skips what a new shard holds when it first sees it, and ignores partial failures. The
docs say so.
https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
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


def reshard_as_aws_does() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    kinesis._split_shard = _closing(kinesis._split_shard, "ShardToSplit")
    kinesis._merge_shards = _closing(kinesis._merge_shards, "ShardToMerge", "AdjacentShardToMerge")
    kinesis._update_shard_count = _by_steps(kinesis._update_shard_count)
    kinesis._get_records = _ending(kinesis._get_records)
    kinesis._describe_stream_summary = _counting_open(kinesis._describe_stream_summary)
    kinesis._shard_out = _with_end(kinesis._shard_out)
    kinesis._route_to_shard = _route


def _closing(reshard: Operation, *parameters: str) -> Operation:
    """`reshard`, which drops the shards named by `parameters`, but they stay, closed."""

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


def _by_steps(update: Operation) -> Operation:
    """UpdateShardCount by splits and merges; `update` answers what cannot be carried out."""

    def updated(data: Request) -> Answer:
        name, stream = kinesis._resolve_stream(data)
        target = int(data.get("TargetShardCount") or 0)
        if stream is None or target < 1:
            return update(data)
        before = len(_open(stream))
        starts = [int(start) for start, _ in kinesis._compute_hash_ranges(target)]
        for start in starts:
            shard_id = kinesis._route_to_shard(start, stream)
            if _start(stream["shards"][shard_id]) != start:
                kinesis._split_shard(
                    {
                        "StreamName": name,
                        "ShardToSplit": shard_id,
                        "NewStartingHashKey": str(start),
                    }
                )
        while extra := [s for s, shard in _open(stream).items() if _start(shard) not in starts]:
            before_it = _start(stream["shards"][extra[0]]) - 1
            kinesis._merge_shards(
                {
                    "StreamName": name,
                    "ShardToMerge": kinesis._route_to_shard(before_it, stream),
                    "AdjacentShardToMerge": extra[0],
                }
            )
        counts = {"CurrentShardCount": before, "TargetShardCount": target}
        return _answer({"StreamName": name, "StreamARN": stream["StreamARN"], **counts})

    return updated


def _ending(get_records: Operation) -> Operation:
    """GetRecords, but a closed shard that was read to its end has children and no next iterator."""

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
        return _answer({**content, "ChildShards": _children(stream, read["shard_id"])})

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
    """DescribeStreamSummary, which counts all shards as open, without those that are closed."""

    def described(data: Request) -> Answer:
        answer = describe(data)
        _, stream = kinesis._resolve_stream(data)
        if answer[0] != 200 or stream is None:
            return answer
        content = json.loads(answer[2])
        content["StreamDescriptionSummary"]["OpenShardCount"] = len(_open(stream))
        return _answer(content)

    return described


def _with_end(shard_out: Callable[[str, Shard], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def out(shard_id: str, shard: Shard) -> dict[str, Any]:
        shown = shard_out(shard_id, shard)
        if ENDING in shard:
            shown["SequenceNumberRange"]["EndingSequenceNumber"] = shard[ENDING]
        return shown

    return out


def _route(hash_key: int, stream: Stream) -> str:
    """The id of the open shard that takes the key."""
    return next(
        shard_id
        for shard_id, shard in _open(stream).items()
        if _start(shard) <= hash_key <= int(shard["ending_hash_key"])
    )


def _open(stream: Stream) -> dict[str, Shard]:
    return {shard_id: shard for shard_id, shard in stream["shards"].items() if ENDING not in shard}


def _start(shard: Shard) -> int:
    return int(shard["starting_hash_key"])


def _answer(content: dict[str, Any]) -> Answer:
    answer: Answer = kinesis.json_response(content)
    return answer


def _refused(message: str) -> Answer:
    answer: Answer = kinesis.error_response_json("InvalidArgumentException", message, 400)
    return answer
