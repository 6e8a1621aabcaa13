"""One service with its pipes, and all that it sees of AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pipes_service import PipesProcess, in_state
from soak.evidence import Evidence
from soak.faults import Faults
from soak.front import Front
from soak.kinesis import Kinesis
from soak.pipes import ALL, RED, expected_of_all, expected_of_red
from soak.server import served
from soak.stream import Put, Stream
from soak.surprises import surprises
from soak.targets import Function, Queue


@dataclass
class World:
    """`kills` are in monotonic seconds, `memory` in seconds of the soak and bytes."""

    name: str
    front: Front
    service: PipesProcess
    kills: list[float] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)

    def begin(self) -> None:
        self.service.start()
        client = self.service.client()
        for definition in (ALL, RED):
            client.create_pipe(**definition)
            in_state(client, definition["Name"], "RUNNING", timeout=60)

    def sample_memory(self, elapsed: float) -> None:
        size = psutil.Process(self.service.server.pid).memory_info().rss
        self.memory.append((elapsed, size))

    def evidence(self, records: Sequence[Put]) -> dict[str, Evidence]:
        """By pipe; `records` are all that were put."""
        function, queue = self.front.function, self.front.queue
        every, red = expected_of_all(records), expected_of_red(records)
        kills = tuple(self.kills)
        return {
            ALL["Name"]: Evidence(every, tuple(function.calls), tuple(queue.given_up), kills),
            RED["Name"]: Evidence(red, tuple(queue.calls), (), kills),
        }

    def handed_over(self) -> int:
        """How many records the targets took, repetitions included."""
        calls = (*self.front.function.calls, *self.front.queue.calls)
        return sum(len(call.taken) for call in calls)

    def surprises(self) -> list[str]:
        return surprises(self.service.log.read_text(errors="replace"))


@contextmanager
def world(
    name: str, stream: Stream, kinesis: Kinesis, faults: Faults, seed: int, folder: Path
) -> Iterator[World]:
    """A world whose service does not run yet. What runs of it at the end is ended."""
    function = Function(stream, f"{seed} {name} function")
    queue = Queue(stream, f"{seed} {name} queue")
    front = Front(kinesis, function, queue, faults)
    with served(front) as url:
        service = PipesProcess(url, folder / name)
        try:
            yield World(name, front, service)
        finally:
            service.stop()
