"""Streams keep their records, in order, when shards change or the clock is set back.

1. A shard that was split or merged stays, closed, until its records have expired.

MiniStack 1.5.33: `_split_shard` and `_merge_shards` in `services/kinesis.py` delete the parents,
with every record in them that was not read. Here a closed shard keeps its records and is listed
with its ending sequence number until they have expired. It takes no records, and cannot be split
or merged again. Its reader learns where it ends, and which are its children.
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

2. UpdateShardCount splits and merges shards.

MiniStack 1.5.33: `_update_shard_count` replaces all shards with new ones, which get the ids of the
old ones. All records are lost. Here it splits and merges, by way of short-lived shards.
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

3. Calls are quick, even if the stream holds many records.

MiniStack 1.5.33: `_expire_records` looks at every record of the stream when a record is put or
read. They are kept in the order in which they came, so here a call looks at the oldest one only.
AWS: the limits of a shard do not depend on how much it holds.
https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html

To report:
    Kinesis: each call takes time in proportion to the records that are kept

    With 200,000 records in the stream, PutRecord takes 20 ms instead of 3 ms, because each call
    copies the list of all records. Expected: the time does not depend on what the stream holds.
    To see it:
        kinesis.create_stream(StreamName="s", ShardCount=1)
        for _ in range(400):
            records = [{"Data": b"x", "PartitionKey": "p"}] * 500
            kinesis.put_records(StreamName="s", Records=records)  # slower and slower
    Proposed change: copy a shard's records only if the first one is too old.

4. Sequence numbers grow even when the clock is set back.

MiniStack 1.5.33: `_next_sequence_number` in `services/kinesis.py` and `_next_stream_seq` in
`services/dynamodb.py` number the records by the clock. After the clock was set back, new records
have smaller numbers. Our function takes each of them for a duplicate until the clock has caught up.
Here each number is greater than all before it, also after a restart: the last one is saved.
AWS: "Sequence numbers increase over time and are specific to a shard within a stream."
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html

To report:
    Kinesis, DynamoDB Streams: sequence numbers fall when the clock is set back

    After the clock was set back (by NTP, or on a virtual machine that was restored), new records
    have smaller sequence numbers than older ones. A consumer that compares them drops new records.
    An iterator AFTER_SEQUENCE_NUMBER skips them.
    Expected: each number is greater than all before it, after a restart with PERSIST_STATE=1 too.
    To see it:
        put = {"StreamName": "s", "Data": b"x", "PartitionKey": "p"}
        before = kinesis.put_record(**put)["SequenceNumber"]
        input("Set the clock back by an hour, then press Enter")
        assert kinesis.put_record(**put)["SequenceNumber"] > before  # fails
    Proposed change: take the maximum of the clock's number and the last number plus one, and save
    the last number with the state.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, kinesis

Shard = dict[str, Any]
Stream = dict[str, Any]
Request = dict[str, Any]
Response = tuple[int, dict[str, str], Any]
Operation = Callable[[Request], Response]
State = dict[str, Any]

PARENTS = ("ShardToSplit", "ShardToMerge", "AdjacentShardToMerge")
ENDING = "ending_sequence_number"
CLOSED_AT = "closed_at"
LAST = "last_sequence_number"


def apply() -> None:
    kinesis._split_shard = _keeping_parents(kinesis._split_shard)
    kinesis._merge_shards = _keeping_parents(kinesis._merge_shards)
    kinesis._update_shard_count = _by_steps(kinesis._update_shard_count)
    kinesis._get_records = _with_children(kinesis._get_records)
    kinesis._describe_stream_summary = _counting_open(kinesis._describe_stream_summary)
    kinesis._shard_out = _with_end(kinesis._shard_out)
    kinesis._route_to_shard = _route
    kinesis._expire_records = expire_records
    correct_numbers()


def _keeping_parents(reshard: Operation) -> Operation:
    """`reshard`, but the shards that its request names stay, closed."""

    def resharded(request: Request) -> Response:
        _, stream = kinesis._resolve_stream(request)
        shards = stream["shards"] if stream else {}
        named = [request[parameter] for parameter in PARENTS if parameter in request]
        parents = {shard_id: shards[shard_id] for shard_id in named if shard_id in shards}
        if any(ENDING in shard for shard in parents.values()):
            return _refuse("A closed shard is not eligible for merging or splitting.")
        # It is taken before those that the children start with.
        end = {ENDING: kinesis._next_sequence_number(), CLOSED_AT: time.time()}
        response = reshard(request)
        for shard_id, shard in parents.items():
            if shard_id not in shards:
                shards[shard_id] = shard | end
        return response

    return resharded


def _by_steps(update: Operation) -> Operation:
    """UpdateShardCount by splits and merges. `update` says which shards there should be."""

    def updated(request: Request) -> Response:
        name, stream = kinesis._resolve_stream(request)
        if stream is None:
            return update(request)
        shards, stream["shards"] = stream["shards"], _open_shards(stream)
        response = update(request)
        wanted, stream["shards"] = stream["shards"], shards
        starts = [_start(shard) for shard in wanted.values()]
        for start in starts:
            shard_id = _route(start, stream)
            if _start(shards[shard_id]) != start:
                split = {"ShardToSplit": shard_id, "NewStartingHashKey": str(start)}
                kinesis._split_shard({"StreamName": name, **split})
        for extra in [s for s in _open_shards(stream).values() if _start(s) not in starts]:
            first, second = (_route(_start(extra) - shift, stream) for shift in (1, 0))
            merge = {"ShardToMerge": first, "AdjacentShardToMerge": second}
            kinesis._merge_shards({"StreamName": name, **merge})
        return response

    return updated


def _with_children(get_records: Operation) -> Operation:
    """GetRecords, which at the end of a closed shard returns its children and no next iterator."""

    def page(request: Request) -> Response:
        response = get_records(request)
        if response[0] != 200:
            return response
        read = kinesis._shard_iterators[request["ShardIterator"]]
        shards = kinesis._streams[read["stream"]]["shards"]
        shard = shards[read["shard_id"]]
        if ENDING not in shard:
            return response
        content = json.loads(response[2])
        following = content["NextShardIterator"]
        if kinesis._shard_iterators[following]["position"] < len(shard["records"]):
            return response
        del kinesis._shard_iterators[following], content["NextShardIterator"]
        children = [_child(*each) for each in shards.items()]
        content["ChildShards"] = [c for c in children if read["shard_id"] in c["ParentShards"]]
        return _respond(content)

    return page


def _child(shard_id: str, shard: Shard) -> dict[str, Any]:
    parents = [shard["parent_shard_id"], shard["adjacent_parent_shard_id"]]
    return {
        "ShardId": shard_id,
        "ParentShards": [parent for parent in parents if parent],
        "HashKeyRange": kinesis._shard_out(shard_id, shard)["HashKeyRange"],
    }


def _counting_open(describe: Operation) -> Operation:
    """DescribeStreamSummary, which counts the open shards only."""

    def described(request: Request) -> Response:
        response = describe(request)
        if response[0] != 200:
            return response
        content = json.loads(response[2])
        _, stream = kinesis._resolve_stream(request)
        content["StreamDescriptionSummary"]["OpenShardCount"] = len(_open_shards(stream))
        return _respond(content)

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
        for shard_id, shard in _open_shards(stream).items()
        if _start(shard) <= hash_key <= int(shard["ending_hash_key"])
    )


def _open_shards(stream: Stream) -> dict[str, Shard]:
    return {shard_id: shard for shard_id, shard in stream["shards"].items() if ENDING not in shard}


def _start(shard: Shard) -> int:
    return int(shard["starting_hash_key"])


def _respond(content: dict[str, Any]) -> Response:
    response: Response = kinesis.json_response(content)
    return response


def _refuse(message: str) -> Response:
    response: Response = kinesis.error_response_json("InvalidArgumentException", message, 400)
    return response


def expire_records(stream: Stream) -> None:
    """Delete records that are too old, and closed shards whose records are all too old."""
    oldest = time.time() - stream["RetentionPeriodHours"] * 3600
    for shard_id, shard in list(stream["shards"].items()):
        records = shard["records"]
        if records and records[0]["ApproximateArrivalTimestamp"] < oldest:
            shard["records"] = [r for r in records if r["ApproximateArrivalTimestamp"] >= oldest]
        if shard.get(CLOSED_AT, oldest) < oldest:
            del stream["shards"][shard_id]


class SequenceNumbers:
    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def take(self) -> str:
        """Return the next number, in MiniStack's format: 20 digits of milliseconds, then 10."""
        with self._lock:
            self._last = max(self._last + 1, int(time.time() * 1000) * 10**10)
            return f"{self._last:030}"

    def saving(self, get_state: Callable[[], State]) -> Callable[[], State]:
        return lambda: get_state() | {LAST: self._last}

    def restoring(self, load: Callable[[State], None]) -> Callable[[State], None]:
        def loaded(state: State) -> None:
            self._last = max(self._last, state.get(LAST, 0))
            load(state)

        return loaded


def correct_numbers() -> None:
    numbers = SequenceNumbers()
    kinesis._next_sequence_number = dynamodb._next_stream_seq = numbers.take
    for service in (kinesis, dynamodb):
        service.get_state = numbers.saving(service.get_state)
        service.load_persisted_state = numbers.restoring(service.load_persisted_state)
