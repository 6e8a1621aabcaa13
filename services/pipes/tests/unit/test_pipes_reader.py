"""The reader of one shard, by itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.position import OLDEST
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.idle import Sleepers
from eventbridge_pipes.runners.pages import FIRST_PAGE_RECORDS, PageLimit
from eventbridge_pipes.runners.reader import ShardReader
from eventbridge_pipes.sources.source import Page
from pipes_fakes import FakeShard, FakeStream


class Told:
    """A closed shard and the inlet that its pages go to: what each of them is told, in order."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.stop = threading.Event()
        stream = FakeStream()
        stream.add_shard("a")
        stream.put("a", *(f"{number}" for number in range(FIRST_PAGE_RECORDS + 50)))
        stream.closed.add("a")
        told = self

        class Shard(FakeShard):
            def page(self, iterator: str, limit: int) -> Page:
                told.steps.append("read")
                return super().page(iterator, limit)

        self.shard = Shard(stream, "a")

    def wait_for_room(self) -> None:
        self.steps.append("room")

    def put(self, page: Sequence[Record]) -> None:
        self.steps.append(f"put {len(page)}")

    def reader(self) -> ShardReader:
        log = PipeLog("pipe")
        return ShardReader(
            self.shard, "a", OLDEST, self, self.stop, lambda: None, log, Sleepers(), PageLimit()
        )


def test_a_shard_is_read_when_there_is_room_for_what_it_gives() -> None:
    told = Told()
    assert told.reader().run()
    first = f"put {FIRST_PAGE_RECORDS}"
    assert told.steps == ["room", "read", first, "room", "read", "put 50"]


def test_a_reader_that_was_told_to_stop_while_it_waited_for_room_reads_no_more() -> None:
    class Stopping(Told):
        def wait_for_room(self) -> None:
            super().wait_for_room()
            self.stop.set()

    told = Stopping()
    assert not told.reader().run()
    assert told.steps == ["room"]
