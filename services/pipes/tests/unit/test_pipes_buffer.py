from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from eventbridge_pipes.execution.batch import BatchRules
from eventbridge_pipes.runners.buffer import RecordBuffer
from pipes_samples import record, records


class Waiting:
    """A thread that waits for room in a buffer."""

    def __init__(self, buffer: RecordBuffer) -> None:
        self.thread = threading.Thread(target=buffer.wait_for_room)
        self.thread.start()

    def done(self, within: float) -> bool:
        self.thread.join(within)
        return not self.thread.is_alive()


@pytest.fixture
def buffer() -> Iterator[RecordBuffer]:
    buffer = RecordBuffer(BatchRules(size=3))
    yield buffer
    buffer.stop()


def test_a_page_leaves_in_batches_in_its_order(buffer: RecordBuffer) -> None:
    buffer.put(records(7))
    buffer.end()
    assert [[r.body for r in batch] for batch in iter(buffer.take, [])] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6"],
    ]


def test_there_is_no_room_while_a_whole_batch_is_waiting(buffer: RecordBuffer) -> None:
    buffer.put(records(4))
    waiting = Waiting(buffer)
    assert not waiting.done(within=0.05)
    buffer.take()
    assert waiting.done(within=10)


def test_there_is_no_room_while_a_whole_payload_is_waiting() -> None:
    buffer = RecordBuffer(BatchRules(size=100, payload=50))
    buffer.put([record(0, size=60)])
    waiting = Waiting(buffer)
    assert not waiting.done(within=0.05)
    buffer.take()
    assert waiting.done(within=10)


def test_stopping_wakes_both_sides(buffer: RecordBuffer) -> None:
    buffer.put(records(3))
    waiting = Waiting(buffer)
    buffer.stop()
    assert waiting.done(within=10)
    assert buffer.take() == []


def test_the_window_counts_from_the_oldest_record() -> None:
    clock = 0.0
    buffer = RecordBuffer(BatchRules(size=10, window=5.0), monotonic=lambda: clock)
    buffer.put(records(1))
    clock = 4.0
    buffer.put(records(1))
    clock = 5.0
    assert len(buffer.take()) == 2
