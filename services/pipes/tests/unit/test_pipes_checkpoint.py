"""The checkpoint of a shard: records that finish in any order, and a store that is full."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.runners.backlog import STORE_SECONDS, Progress
from eventbridge_pipes.store import StateError
from pipes_samples import PIPE, record, records


class Disk:
    """Stores checkpoints; `full` is whether nothing can be written."""

    def __init__(self) -> None:
        self.full = False
        self.written: list[str] = []

    def store(self, sequence_number: str) -> None:
        if self.full:
            raise StateError("database or disk is full")
        self.written.append(sequence_number)


@dataclass
class Clock:
    """`step` seconds pass between two looks."""

    step: float = 1.0
    now: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_records_go_on_and_the_position_follows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    disk = Disk()
    clock = Clock()
    progress = Progress(disk.store, "shard", PipeLog(PIPE.arn), clock)
    page = records(4)
    progress.read(page, page)
    progress.done(page[:1])
    disk.full = True
    progress.done(page[1:2])
    progress.done(page[2:3])
    assert disk.written == [page[0].sequence_number]
    disk.full = False
    progress.done(page[3:])
    assert disk.written == [page[0].sequence_number, page[3].sequence_number]
    told = [logged.getMessage() for logged in caplog.records]
    assert len(told) == 2, "one line when it begins, one when it ends"
    assert "cannot store checkpoints of shard shard" in told[0]
    assert "database or disk is full" in told[0]
    assert "storing checkpoints of shard shard again" in told[1]


def test_while_batches_follow_each_other_the_checkpoint_is_stored_only_now_and_then() -> None:
    disk, clock = Disk(), Clock(step=0.0)
    progress = Progress(disk.store, "shard", PipeLog(PIPE.arn), clock)
    page = records(5)
    progress.read(page, page)
    for each in page[:2]:
        progress.done([each])
    assert disk.written == [page[0].sequence_number]
    clock.now += STORE_SECONDS
    progress.done(page[2:3])
    assert disk.written[1:] == [page[2].sequence_number]
    progress.done(page[3:4])
    progress.save()
    assert disk.written[2:] == [page[3].sequence_number]
    progress.done(page[4:])
    assert disk.written[3:] == []
    progress.save()
    assert disk.written[3:] == [page[4].sequence_number]


def on_a_good_disk() -> Progress:
    return Progress(Disk().store, "shard", PipeLog(PIPE.arn))


def test_nothing_read_is_no_checkpoint() -> None:
    progress = on_a_good_disk()
    assert progress.checkpoint is None
    assert progress.oldest_arrival is None


def test_the_first_record_outstanding_leaves_no_checkpoint() -> None:
    progress = on_a_good_disk()
    progress.read(records(2), records(2))
    progress.done([record(1)])
    assert progress.checkpoint is None


def test_what_a_filter_leaves_out_is_done_with() -> None:
    progress = on_a_good_disk()
    progress.read(records(3), [])
    assert progress.checkpoint == record(2).sequence_number


def test_the_oldest_arrival_is_that_of_the_first_outstanding_record() -> None:
    progress = on_a_good_disk()
    page = [record(0, arrived=5.0), record(1, arrived=6.0)]
    progress.read(page, page)
    assert progress.oldest_arrival == 5.0
    progress.done(page[:1])
    assert progress.oldest_arrival == 6.0


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
def test_the_checkpoint_is_the_last_record_with_nothing_outstanding_up_to_it(
    states: list[tuple[bool, bool]], page_size: int, random: object
) -> None:
    """`states`: for each record, whether the filter keeps it, and whether it is done with."""
    everything = records(len(states))
    progress = on_a_good_disk()
    for start in range(0, len(everything), page_size):
        page = everything[start : start + page_size]
        progress.read(page, [r for r in page if states[int(r.body)][0]])
    done = [r for r in everything if states[int(r.body)] == (True, True)]
    random.shuffle(done)  # type: ignore[attr-defined]
    for one in done:
        progress.done([one])

    expected = None
    for one in everything:
        kept, is_done = states[int(one.body)]
        if kept and not is_done:
            break
        expected = one.sequence_number
    assert progress.checkpoint == expected
