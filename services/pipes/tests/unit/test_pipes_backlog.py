"""Records that wait: when there is room, in which batches they leave, and by which lane."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.execution.batch import BatchRules
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.backlog import READ_AHEAD_BYTES, Backlog, lane_of
from pipes_samples import record, records

LANES = 4
STUCK = "stuck"


def keyed(keys: list[str]) -> list[Record]:
    return [Record(f"s:{i}", str(i), 0.0, "{}", key) for i, key in enumerate(keys)]


class Waiting:
    """A thread that waits for room in a backlog."""

    def __init__(self, backlog: Backlog) -> None:
        self.thread = threading.Thread(target=backlog.wait_for_room)
        self.thread.start()

    def done(self, within: float) -> bool:
        self.thread.join(within)
        return not self.thread.is_alive()


@pytest.fixture
def backlog() -> Iterator[Backlog]:
    backlog = Backlog(BatchRules(size=3), 1)
    yield backlog
    backlog.stop()


def test_a_page_leaves_in_batches_in_its_order(backlog: Backlog) -> None:
    backlog.put(records(7))
    backlog.end()
    assert [[r.body for r in batch] for batch in iter(lambda: backlog.take(0), [])] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6"],
    ]


def test_there_is_no_room_while_a_whole_batch_is_waiting(backlog: Backlog) -> None:
    backlog.put(records(4))
    waiting = Waiting(backlog)
    assert not waiting.done(within=0.05)
    backlog.take(0)
    assert waiting.done(within=10)


def test_there_is_no_room_while_a_whole_payload_is_waiting() -> None:
    backlog = Backlog(BatchRules(size=100, payload=50), 1)
    backlog.put([record(0, size=60)])
    waiting = Waiting(backlog)
    assert not waiting.done(within=0.05)
    backlog.take(0)
    assert waiting.done(within=10)


def test_stopping_wakes_both_sides(backlog: Backlog) -> None:
    backlog.put(records(3))
    waiting = Waiting(backlog)
    backlog.stop()
    assert waiting.done(within=10)
    assert backlog.take(0) == []


def test_the_window_counts_from_the_oldest_record() -> None:
    clock = 0.0
    backlog = Backlog(BatchRules(size=10, window=5.0), 1, monotonic=lambda: clock)
    backlog.put(records(1))
    clock = 4.0
    backlog.put(records(1))
    clock = 5.0
    assert len(backlog.take(0)) == 2


def test_a_lane_that_is_blocked_leaves_room_for_the_others() -> None:
    backlog = Backlog(BatchRules(size=3), LANES)
    backlog.put(keyed([STUCK] * 3))
    assert Waiting(backlog).done(within=10)


def test_what_is_read_ahead_for_the_others_is_bounded() -> None:
    backlog = Backlog(BatchRules(size=1), LANES)
    half = READ_AHEAD_BYTES // 2
    for number in range(2):
        backlog.put([record(number, size=half)])
    waiting = Waiting(backlog)
    assert not waiting.done(within=0.05)
    backlog.take(lane_of("", LANES))
    assert waiting.done(within=10)


def test_the_bound_leaves_room_until_some_lane_has_a_batch() -> None:
    backlog = Backlog(BatchRules(size=100, payload=2 * READ_AHEAD_BYTES), LANES)
    backlog.put([record(0, size=READ_AHEAD_BYTES)])
    assert Waiting(backlog).done(within=10)


def taken(backlog: Backlog) -> list[list[Record]]:
    """The records of each lane, once no more will come."""
    backlog.end()
    return [
        [r for batch in iter(partial(backlog.take, lane), []) for r in batch]
        for lane in range(LANES)
    ]


@given(st.lists(st.text(max_size=3), max_size=60))
def test_each_record_is_in_one_lane_and_a_key_in_one_lane_in_its_order(keys: list[str]) -> None:
    backlog = Backlog(BatchRules(size=7), LANES)
    page = keyed(keys)
    backlog.put(page)
    shares = taken(backlog)
    assert sorted((r for share in shares for r in share), key=page.index) == page
    for key in set(keys):
        holding = [share for share in shares if any(r.partition_key == key for r in share)]
        assert len(holding) == 1
        of_key = [r for r in holding[0] if r.partition_key == key]
        assert of_key == [r for r in page if r.partition_key == key]


@given(st.text(max_size=3), st.integers(1, 10))
def test_a_key_always_has_the_same_lane(key: str, lanes: int) -> None:
    assert lane_of(key, lanes) == lane_of(key, lanes) < lanes


def test_many_keys_fill_all_lanes() -> None:
    backlog = Backlog(BatchRules(size=1000), LANES)
    backlog.put(keyed([f"product-{n}" for n in range(1000)]))
    assert min(map(len, taken(backlog))) > 125
