"""moto's server, its Kinesis made to reshard as AWS does: `python moto_server.py PORT`.

As it comes, moto (5.2) moves the records of a split shard about, goes on writing to shards that
are closed, never ends one, and numbers the records of each shard 1, 2, 3. Here records stay where
they were put, what is put goes to open shards, a closed shard ends, and sequence numbers have
AWS's 56 digits. A stream whose name begins with `moody` refuses some reads.
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import md5
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kinesis.models import KinesisBackend, Record, Shard, Stream
from moto.kinesis.utils import decompose_shard_iterator
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

FIRST_NUMBER = 49590338271490256608559692538361571095921575989136588898
"""The sequence number in AWS's own example."""

MOODS = (
    None,
    "ExpiredIteratorException",
    None,
    None,
    "ProvisionedThroughputExceededException",
    None,
    "InternalFailure",
)
"""How a moody stream answers a read: any of these, whichever shard is read and when.

One after the other, they would come round in time with the pauses of a reader, which then meets the
same one again and again.
"""

_numbers = itertools.count(FIRST_NUMBER, 16)
_dice = random.Random(1)


def put_record(shard: Shard, partition_key: str, data: str, explicit_hash_key: str) -> str:
    number = next(_numbers)
    shard.records[number] = Record(partition_key, data, number, explicit_hash_key)
    return str(number)


def get_shard_for_key(stream: Stream, partition_key: str, explicit_hash_key: str) -> Shard:
    digest = md5(partition_key.encode(), usedforsecurity=False).hexdigest()
    place = int(explicit_hash_key) if explicit_hash_key else int(digest, 16)
    return next(
        shard
        for shard in stream.shards.values()
        if shard.is_open and shard.starting_hash <= place <= shard.ending_hash
    )


def leaving_records(reshard: Callable[..., None], closed: int) -> Callable[..., None]:
    """`reshard`, its first arguments the ids of the shards to close, without moving records."""

    def resharded(stream: Stream, *arguments: str) -> None:
        shards = [stream.shards[shard_id] for shard_id in arguments[:closed]]
        kept = [shard.records for shard in shards]
        for shard in shards:
            shard.records = OrderedDict()
        reshard(stream, *arguments)
        for shard, records in zip(shards, kept, strict=True):
            shard.records = records

    return resharded


Page = tuple[str, list[Record], int]


def ending(get_records: Callable[..., Page]) -> Callable[..., tuple[str | None, Any, int]]:
    """`get_records`, but a closed shard that was read to its end has no next iterator."""

    def page(
        backend: KinesisBackend, stream_arn: str, iterator: str, limit: int | None
    ) -> tuple[str | None, Any, int]:
        stream = backend.describe_stream(stream_arn, None)
        if stream.stream_name.startswith("moody") and (mood := _dice.choice(MOODS)):
            raise JsonRESTError(mood, "not now")
        following, records, behind = get_records(backend, stream_arn, iterator, limit)
        _, shard_id, reached = decompose_shard_iterator(following)
        shard = stream.shards[shard_id]
        ended = not shard.is_open and int(reached) >= shard.get_max_sequence_number()
        return None if ended else following, records, behind

    return page


def reshard_as_aws_does() -> None:
    changed: list[tuple[type, str, Any]] = [
        (Shard, "put_record", put_record),
        (Stream, "get_shard_for_key", get_shard_for_key),
        (Stream, "split_shard", leaving_records(Stream.split_shard, closed=1)),
        (Stream, "merge_shards", leaving_records(Stream.merge_shards, closed=2)),
        (KinesisBackend, "get_records", ending(KinesisBackend.get_records)),
    ]
    for owner, name, function in changed:
        setattr(owner, name, function)


def serve(port: int) -> None:
    moto = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = threading.Lock()

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        with one_at_a_time:
            answer: Iterable[bytes] = moto(environ, start_response)
            return answer

    run_simple("127.0.0.1", port, application, threaded=True)


if __name__ == "__main__":
    reshard_as_aws_does()
    serve(int(sys.argv[1]))
