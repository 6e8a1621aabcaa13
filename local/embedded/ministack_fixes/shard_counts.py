"""UpdateShardCount splits and merges shards.

MiniStack 1.5.33: `_update_shard_count` in `services/kinesis.py` replaces all shards with new ones,
which get the ids of the old ones. All records are lost. Here it splits and merges, by way of
short-lived shards where it has to, and `resharding` keeps the parents.
AWS: "Kinesis Data Streams performs splits or merges on individual shards. This can cause
short-lived shards to be created, in addition to the final shards."
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html

To report:
    Kinesis: UpdateShardCount deletes all records of the stream and reuses the ids of its shards

    Expected: it splits and merges shards. New shards have new ids and a ParentShardId.
    To see it:
        kinesis.create_stream(StreamName="s", ShardCount=1)
        kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="p")
        kinesis.update_shard_count(
            StreamName="s", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
        kinesis.list_shards(StreamName="s")["Shards"]  # 0 and 1, without parents
        # and the record is no longer in shardId-000000000000
    Proposed change: split the shards at the starting keys of the new ranges, then merge those that
    start elsewhere into the shard before them.
"""

from __future__ import annotations

from ministack.services import kinesis

from embedded.ministack_fixes.resharding import (
    Answer,
    Operation,
    Request,
    open_shards,
    respond,
    starting_key,
)


def apply() -> None:
    kinesis._update_shard_count = _by_steps(kinesis._update_shard_count)


def _by_steps(update: Operation) -> Operation:
    """UpdateShardCount by splits and merges. `update` responds to requests that are invalid."""

    def updated(data: Request) -> Answer:
        name, stream = kinesis._resolve_stream(data)
        target = int(data.get("TargetShardCount") or 0)
        if stream is None or target < 1:
            return update(data)
        before = len(open_shards(stream))
        starts = [int(start) for start, _ in kinesis._compute_hash_ranges(target)]
        for start in starts:
            shard_id = kinesis._route_to_shard(start, stream)
            if starting_key(stream["shards"][shard_id]) != start:
                kinesis._split_shard(
                    {
                        "StreamName": name,
                        "ShardToSplit": shard_id,
                        "NewStartingHashKey": str(start),
                    }
                )
        while extra := [
            s for s, shard in open_shards(stream).items() if starting_key(shard) not in starts
        ]:
            before_it = starting_key(stream["shards"][extra[0]]) - 1
            kinesis._merge_shards(
                {
                    "StreamName": name,
                    "ShardToMerge": kinesis._route_to_shard(before_it, stream),
                    "AdjacentShardToMerge": extra[0],
                }
            )
        counts = {"CurrentShardCount": before, "TargetShardCount": target}
        return respond({"StreamName": name, "StreamARN": stream["StreamARN"], **counts})

    return updated
