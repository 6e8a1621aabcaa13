"""The disk is full under the state of the Pipes service.

The kernel refuses it any write that would make a file longer than its write-ahead log is now: to
a program this is what a full disk is, and it needs no privileges, no disk and no waiting.
"""

from __future__ import annotations

import resource

import pytest

from faults.events import Payload, mixed
from faults.line import BATCH_SIZE, Line
from operations.verify.explain import RecordStatus
from waiting import eventually

BETWEEN = "Pipes service, disk full"

pytestmark = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux sets the limits of another process"
)

SAID = "cannot store checkpoints"
"""What the log says of it, once for each shard."""


def limit(line: Line, size: int) -> None:
    """Let the service write files of no more than `size` bytes."""
    pid = line.parts.pipes.server.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill(line: Line) -> None:
    limit(line, (line.parts.pipes.state / "pipes.sqlite-wal").stat().st_size)
    line.struck += 1


def deliver(line: Line, payloads: list[Payload]) -> None:
    """Put them, and return once the service has delivered them."""
    goal = line.delivered() + len(payloads)
    line.put(payloads)
    eventually(lambda: line.delivered() >= goal, timeout=60)


def assert_said_in_a_line(line: Line) -> None:
    log = line.parts.pipes.log.read_text()
    assert "Traceback" not in log
    said = [told for told in log.splitlines() if SAID in told]
    assert 1 <= len(said) <= 2, said


def test_space_again(line: Line) -> None:
    """Records have gone on, and their positions follow."""
    payloads = mixed(seed=12)
    deliver(line, payloads[:100])
    fill(line)
    deliver(line, payloads[100:200])
    assert_said_in_a_line(line)
    limit(line, resource.RLIM_INFINITY)
    deliver(line, payloads[200:300])
    line.parts.kill_pipes()
    line.parts.start_pipes()
    line.put(payloads[300:])
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0
    # But for a batch of each shard that may have been under way, nothing has come again.
    assert line.delivered() <= len(payloads[300:]) + 2 * BATCH_SIZE


def test_killed_meanwhile(line: Line) -> None:
    """What could not be written down is delivered again, and changes nothing."""
    payloads = mixed(seed=13)
    deliver(line, payloads[:100])
    fill(line)
    deliver(line, payloads[100:200])
    line.parts.kill_pipes()
    assert_said_in_a_line(line)
    line.parts.start_pipes()
    line.put(payloads[200:])
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0
    assert line.delivered() >= len(payloads[100:])
