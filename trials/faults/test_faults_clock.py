"""The wall clock of the Pipes service jumps. Only the age of records may go by it, as on AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.effects import refused
from faults.events import mixed
from faults.launcher import CLOCK
from faults.line import Line
from faults.plan import on
from operations.verify.explain import RecordStatus
from waiting import eventually

BETWEEN = "Pipes service, clock"

HOUR, DAY = 3600, 86_400

Set = Callable[[float], None]


@pytest.fixture
def clock(line: Line, tmp_path: Path) -> Set:
    """`clock(3600)` sets that of the service an hour ahead; it has been started anew with it."""
    offset = tmp_path / "clock"

    def set_to(seconds: float) -> None:
        new = offset.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(offset)
        line.struck += seconds != 0

    set_to(0)
    line.restart_pipes(**{CLOCK: str(offset)})
    return set_to


@pytest.mark.parametrize(
    "seconds", [HOUR, -HOUR, -30 * DAY], ids=["an hour ahead", "an hour back", "a month back"]
)
def test_a_jump_changes_nothing(seconds: float, line: Line, clock: Set) -> None:
    """Not even with a batch that is being tried again: its pauses go by another clock."""
    payloads = mixed(seed=14)
    line.inject(on("Invoke", refused(429, "TooManyRequestsException"), range(3, 9)))
    line.put(payloads[:150])
    clock(seconds)
    line.put(payloads[150:])
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


def test_back_and_forth(line: Line, clock: Set) -> None:
    with repeated([lambda: clock(HOUR), lambda: clock(-HOUR)]):
        line.put(mixed(seed=15))
        eventually(lambda: line.struck > 1)  # it has gone back and forth
        statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


def test_two_days_ahead(line: Line, clock: Set) -> None:
    """Records are older than the pipe is to deliver, by the only clock there is to tell: they are
    dead-lettered, every one. With the clock right again, what comes is delivered."""
    payloads = mixed(seed=16)
    line.stack.await_handled(line.stack.put(payloads[:100]))
    clock(2 * DAY)
    line.put(payloads[100:200])
    letters = line.await_dead_letters(100)
    assert {letter.condition for letter in letters} == {"RecordAgeExceeded"}
    clock(0)
    line.put(payloads[200:])
    statuses = line.come_through()
    assert statuses[RecordStatus.DEAD_LETTERED] == 100


@contextmanager
def repeated(steps: list[Callable[[], None]]) -> Iterator[None]:
    """Take the steps in turn, twenty in a second, as long as the context lasts."""
    stop = threading.Event()

    def run() -> None:
        turn = 0
        while not stop.wait(0.05):
            steps[turn % len(steps)]()
            turn += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
