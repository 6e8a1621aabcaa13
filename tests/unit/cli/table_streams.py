"""A table with streams like those of DynamoDB: shards split and end, records are trimmed.

No emulator does this on request.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/products"
HASHES = 16


class NotFoundError(Exception):
    pass


class TrimmedError(Exception):
    pass


class ExpiredError(Exception):
    pass


@dataclass
class Shard:
    id: str
    parent: str | None
    hashes: range
    records: list[dict[str, Any]] = field(default_factory=list)
    trimmed: int = 0
    closed: bool = False
    listed: bool = True


@dataclass
class Stream:
    arn: str
    shards: dict[str, Shard]
    enabled: bool = True


def item(product_id: str, quantity: int, number: int, *event_ids: str) -> dict[str, Any]:
    return {
        "product_id": {"S": product_id},
        "product_name": {"S": "Lamp"},
        "quantity": {"N": str(quantity)},
        "timestamp": {"S": "N/A"},
        "sequence_number": {"S": f"{number:056d}"},
        "recent_event_ids": {"L": [{"S": each} for each in event_ids]},
    }


class FakeTable:
    """The table, and the client of its streams.

    `page` is how many records a page has; `empty_pages` how many come before one that has any.
    """

    exceptions = SimpleNamespace(
        ResourceNotFoundException=NotFoundError,
        TrimmedDataAccessException=TrimmedError,
        ExpiredIteratorException=ExpiredError,
    )

    def __init__(self, page: int = 3, empty_pages: int = 0) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.streams: list[Stream] = []
        self.written: list[tuple[str, Any, Any]] = []
        self.now = 1_800_000_000
        self._page = page
        self._empty_pages = empty_pages
        self._empty: dict[str, int] = {}
        self._count = 0
        self._expired: set[str] = set()
        self._iterators: dict[str, tuple[Shard, int]] = {}
        self.make_stream()

    # What happens to the table.

    def make_stream(self) -> None:
        """Add a stream, as when the table is created again or its stream is enabled again."""
        for stream in self.streams:
            stream.enabled = False
            for shard in stream.shards.values():
                shard.closed = True
        arn = f"{TABLE}/stream/2026-01-01T00:00:{len(self.streams):02d}.000"
        self.streams.append(Stream(arn, {}))
        self._add_shard(None, range(HASHES))

    def change(self, product_id: str) -> None:
        """The product's quantity goes up; each third time it is removed."""
        before = self.rows.get(product_id)
        self._count += 1
        after = item(product_id, self._count, self._count, f"e{self._count}")
        if before is not None and self._count % 3 == 0:
            self.rows.pop(product_id)
            self._put_on_stream(product_id, before, None)
        else:
            self.rows[product_id] = after
            self._put_on_stream(product_id, before, after)

    def split(self, choice: int, parts: int) -> None:
        """An open shard ends, and has one child or two."""
        shards = [s for s in self.streams[-1].shards.values() if not s.closed]
        shard = shards[choice % len(shards)]
        if len(shard.hashes) < parts:
            return
        shard.closed = True
        middle = shard.hashes.start + len(shard.hashes) // parts
        self._add_shard(shard.id, range(shard.hashes.start, middle))
        if parts == 2:
            self._add_shard(shard.id, range(middle, shard.hashes.stop))

    def trim(self) -> None:
        """Expire all records: closed shards are no longer listed."""
        for stream in self.streams:
            for shard in stream.shards.values():
                shard.trimmed = len(shard.records)
                shard.listed = not shard.closed

    def expire_iterators(self) -> None:
        self._expired |= self._iterators.keys()

    def _put_on_stream(self, product_id: str, before: Any, after: Any) -> None:
        at = zlib.crc32(product_id.encode()) % HASHES
        stream = self.streams[-1]
        shard = next(s for s in stream.shards.values() if not s.closed and at in s.hashes)
        images = {"OldImage": before, "NewImage": after}
        self.now += 1
        shard.records.append(
            {
                "eventName": "MODIFY",
                "dynamodb": {
                    "Keys": {"product_id": {"S": product_id}},
                    "SequenceNumber": f"{self._count:021d}",
                    "ApproximateCreationDateTime": datetime.fromtimestamp(self.now, UTC),
                    **{name: image for name, image in images.items() if image is not None},
                },
            }
        )
        self.written.append((product_id, before, after))

    def _add_shard(self, parent: str | None, hashes: range) -> None:
        shards = self.streams[-1].shards
        # Children may be listed before their parents.
        name = f"shardId-{len(shards):03d}"
        self.streams[-1].shards = {name: Shard(name, parent, hashes), **shards}

    # The API.

    def list_streams(self, **asked: Any) -> Any:
        streams = [stream.arn for stream in self.streams]
        begin = streams.index(asked.get("ExclusiveStartStreamArn", streams[0]))
        begin += "ExclusiveStartStreamArn" in asked
        answer: dict[str, Any] = {"Streams": [{"StreamArn": a} for a in streams[begin : begin + 1]]}
        if begin + 1 < len(streams):
            answer["LastEvaluatedStreamArn"] = streams[begin]
        return answer

    def describe_stream(self, **asked: Any) -> Any:
        stream = self._stream(asked["StreamArn"])
        listed = [shard for shard in stream.shards.values() if shard.listed]
        names = [shard.id for shard in listed]
        begin = 0
        if (start := asked.get("ExclusiveStartShardId")) is not None:
            begin = names.index(start) + 1
        page = listed[begin : begin + 2]
        answer: dict[str, Any] = {
            "StreamStatus": "ENABLED" if stream.enabled else "DISABLED",
            "Shards": [
                {
                    "ShardId": shard.id,
                    "SequenceNumberRange": {"EndingSequenceNumber": "9"} if shard.closed else {},
                    **({"ParentShardId": shard.parent} if shard.parent else {}),
                }
                for shard in page
            ],
        }
        if begin + 2 < len(listed):
            answer["LastEvaluatedShardId"] = page[-1].id
        return {"StreamDescription": answer}

    def get_shard_iterator(self, **asked: Any) -> Any:
        shard = self._stream(asked["StreamArn"]).shards.get(asked["ShardId"])
        if shard is None or not shard.listed:
            raise NotFoundError
        match asked["ShardIteratorType"]:
            case "TRIM_HORIZON":
                position = shard.trimmed
            case "LATEST":
                position = len(shard.records)
            case "AFTER_SEQUENCE_NUMBER":
                numbers = [r["dynamodb"]["SequenceNumber"] for r in shard.records]
                position = numbers.index(asked["SequenceNumber"]) + 1
                if position <= shard.trimmed:
                    raise TrimmedError
        return {"ShardIterator": self._iterator(shard, position)}

    def get_records(self, **asked: Any) -> Any:
        iterator = asked["ShardIterator"]
        if iterator in self._expired:
            raise ExpiredError
        shard, position = self._iterators[iterator]
        if position < shard.trimmed:
            raise TrimmedError
        self._empty[shard.id] = (self._empty.get(shard.id, 0) + 1) % (self._empty_pages + 1)
        count = 0 if self._empty[shard.id] else self._page
        records = shard.records[position : position + count]
        position += len(records)
        if shard.closed and position == len(shard.records):
            return {"Records": records}
        return {"Records": records, "NextShardIterator": self._iterator(shard, position)}

    def _iterator(self, shard: Shard, position: int) -> str:
        name = f"iterator-{len(self._iterators)}"
        self._iterators[name] = (shard, position)
        return name

    def _stream(self, arn: str) -> Stream:
        for stream in self.streams:
            if stream.arn == arn:
                return stream
        raise NotFoundError
