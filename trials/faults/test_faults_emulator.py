"""All of AWS goes away, and comes back with what it had."""

from __future__ import annotations

from faults.events import mixed
from faults.line import Line
from operations.verify.explain import RecordStatus

BETWEEN = "emulator, restarted"


def test_with_nothing_under_way(line: Line) -> None:
    payloads = mixed(seed=17)
    line.stack.await_handled(line.stack.put(payloads[:150]))
    restart(line)
    line.put(payloads[150:])
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


def test_with_events_under_way(line: Line) -> None:
    payloads = mixed(seed=18)
    for start in range(0, 300, 100):
        line.put(payloads[start : start + 100])
        restart(line)
    line.put(payloads[300:])
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


def restart(line: Line) -> None:
    line.parts.emulator.stop()
    line.parts.emulator.start()
    line.struck += 1
