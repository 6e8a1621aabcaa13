"""How the table and the stream are followed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.model.pipeline import Pipeline
from dashboard.sources.hub import Hub
from dashboard.sources.stream import StreamSource
from dashboard.sources.table import TableSource
from operations.table_stream import Change, Place


def item(quantity: int) -> dict[str, Any]:
    return {"product_id": {"S": "A"}, "quantity": {"N": str(quantity)}}


class Table:
    """A table of one item, whose quantity is also the number of the change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.quantity = 1
        self.scans = 0
        self.new: list[Change] = []
        self.error: Exception | None = None
        self.note: Callable[[str], object] = lambda text: None
        monkeypatch.setattr("dashboard.sources.table.TableFollower", self.follower)

    def change(self) -> None:
        place = Place("stream", "shard", str(self.quantity))
        before, self.quantity = self.quantity, self.quantity + 1
        keys = {"product_id": {"S": "A"}}
        self.new.append(Change(place, 0.0, keys, item(before), item(self.quantity)))

    def follower(self, *_: object, note: Callable[[str], object], **__: object) -> Table:
        self.note, self.new = note, []
        return self

    def look(self) -> list[Change]:
        if self.error:
            raise self.error
        new, self.new = self.new, []
        return new

    def get_paginator(self, _name: str) -> Table:
        return self

    def paginate(self, **_: object) -> list[Any]:
        self.scans += 1
        return [{"Items": [item(self.quantity)]}]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    return Table(monkeypatch)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


@pytest.fixture
def source(table: Table, pipeline: Pipeline) -> TableSource:
    return TableSource(Hub(pipeline), table, table, "product_inventory")  # type: ignore[arg-type]


def quantity(pipeline: Pipeline) -> int | str | None:
    row = pipeline.products.row("A")
    return row.quantity if row else None


def test_the_table_is_scanned_once_and_then_followed(
    table: Table, pipeline: Pipeline, source: TableSource
) -> None:
    source.read()
    assert quantity(pipeline) == 1
    table.change()
    table.change()
    source.read()
    assert quantity(pipeline) == 3
    assert table.scans == 1


def test_after_lost_changes_the_table_is_scanned_again(
    table: Table, pipeline: Pipeline, source: TableSource
) -> None:
    source.read()
    table.quantity = 7
    table.note("The stream was deleted.")
    source.read()
    assert quantity(pipeline) == 7


def test_after_a_failure_the_table_is_scanned_again(
    table: Table, pipeline: Pipeline, source: TableSource
) -> None:
    source.read()
    table.error = RuntimeError()
    with pytest.raises(RuntimeError):
        source.read()
    table.quantity, table.error = 7, None
    source.read()
    assert quantity(pipeline) == 7


class Kinesis:
    """Shards with one record each, the number of the shard, at that second."""

    def __init__(self) -> None:
        self.shards: dict[str, bool] = {"shard-1": True}  # whether it is open
        self.error: Exception | None = None
        self.opened: list[tuple[str, float]] = []

    def list_shards(self, **_: object) -> Any:
        ends: dict[bool, Any] = {True: {}, False: {"EndingSequenceNumber": "1"}}
        shards = self.shards.items()
        return {"Shards": [{"ShardId": s, "SequenceNumberRange": ends[o]} for s, o in shards]}

    def get_shard_iterator(self, ShardId: str, Timestamp: datetime, **_: object) -> Any:  # noqa: N803
        self.opened.append((ShardId, Timestamp.timestamp()))
        return {"ShardIterator": ShardId}

    def get_records(self, ShardIterator: str, **_: object) -> Any:  # noqa: N803
        if self.error:
            raise self.error
        shard_id, *is_read = ShardIterator.split()
        number = int(shard_id[-1])
        record: dict[str, Any] = {
            "SequenceNumber": str(number),
            "ApproximateArrivalTimestamp": datetime.fromtimestamp(number, UTC),
            "Data": b"{}",
            "PartitionKey": "A",
        }
        answer: dict[str, Any] = {"Records": [] if is_read else [record]}
        if self.shards[shard_id]:
            answer["NextShardIterator"] = f"{shard_id} read"
        return {**answer, "MillisBehindLatest": 2500}


def test_a_closed_shard_is_read_once_and_its_children_too() -> None:
    kinesis, pipeline = Kinesis(), Pipeline()
    source = StreamSource(Hub(pipeline), kinesis, "stream", now=121.0)  # type: ignore[arg-type]
    kinesis.shards = {"shard-1": False}
    source.read()
    kinesis.shards |= {"shard-2": True, "shard-3": True}
    source.read()
    source.read()
    assert [tracked.place[0] for tracked in pipeline.latest] == ["shard-1", "shard-2", "shard-3"]
    assert [shard_id for shard_id, _ in kinesis.opened] == ["shard-1", "shard-2", "shard-3"]
    assert (pipeline.figures.shards, pipeline.figures.unread_seconds) == (2, 2.5)


def test_after_a_failure_the_stream_is_read_from_a_little_before_the_last_record() -> None:
    kinesis, pipeline = Kinesis(), Pipeline()
    source = StreamSource(Hub(pipeline), kinesis, "stream", now=121.0)  # type: ignore[arg-type]
    kinesis.shards = {"shard-5": True}
    source.read()
    kinesis.error = RuntimeError()
    with pytest.raises(RuntimeError):
        source.read()
    kinesis.error = None
    source.read()
    assert kinesis.opened == [("shard-5", 1.0), ("shard-5", 4.0)]
    assert len(pipeline.latest) == 1, "the record that is read twice counts once"
