"""The pipeline under test: its parts, the proxy between them, and what has to hold in the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from click.testing import CliRunner

from embedded.environment import variables
from embedded.processes import StartupError
from faults.emulator import Emulator
from faults.events import Payload
from faults.launcher import LAST_WORDS
from faults.plan import Plan, Strike
from faults.proxy import Proxy
from inventory.failure_messages import DeadLetter, parse_dead_letter
from inventory.stock import Outcome
from inventory_aws.stream import StreamRecord, read_all
from inventory_cli.cli import cli
from operations import table
from operations.function_log import furthest
from operations.queue import Queue
from operations.verify.explain import RecordStatus
from pipes_service import PipesProcess
from stack import Stack, expected_of
from waiting import eventually

BATCH_SIZE = 25
"""Of the pipe: small, so that there are calls enough for faults to meet."""

_COUNT = re.compile(r"^  (\w[\w ]*?) +(\d+)(?:,|$)", re.MULTILINE)

_DELIVERED = re.compile(r"^eventbridge_pipes_records_delivered_total\{.*\} (.+)$", re.MULTILINE)


PYTHONPATH = Path(__file__).parents[1]


class Parts:
    """The servers (see `stack.Backend`). Each case has a Pipes service, and a plan, of its own."""

    def __init__(self, emulator: Emulator, proxy: Proxy, state: Path) -> None:
        self.emulator = emulator
        self.proxy = proxy
        self.pipes = PipesProcess(proxy.url, state)

    def renew(self, state: Path) -> None:
        """A Pipes service that knows nothing yet, at the same address; no faults."""
        if self.pipes.running:
            self.pipes.kill()
        environment = {"PYTHONPATH": str(PYTHONPATH)}
        self.pipes = PipesProcess(self.proxy.url, state, self.pipes.port, environment)
        self.proxy.plan = Plan()
        self.pipes.start()

    @property
    def variables(self) -> Mapping[str, str]:
        """They lead to the servers themselves: a test meets no faults."""
        return variables(self.emulator.url, self.pipes.url)

    def kill_pipes(self) -> None:
        self.pipes.kill()

    def start_pipes(self) -> None:
        """The service as it is: whatever was arranged for its last life is over."""
        self.pipes.module = "eventbridge_pipes"
        self.pipes.start()

    def logs(self) -> Mapping[str, str]:
        return {"EventBridge Pipes": self.pipes.log.read_text(errors="replace")}


@dataclass
class Line:
    """A pipeline of its own, from the stream to the table. `struck` counts the faults that no
    proxy knows of; `statuses` and `green` are what `inventory verify` says in the end."""

    stack: Stack
    parts: Parts
    struck: int = 0
    green: bool = False
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def injected(self) -> int:
        return self.struck + self.parts.proxy.plan.struck

    def inject(self, *strikes: Strike) -> None:
        self.parts.proxy.plan.add(strikes)

    def put(self, payloads: Iterable[Payload]) -> None:
        self.stack.put(payloads)

    def restart_pipes(self, **arranged: str) -> None:
        """Put the Pipes service in a process for which this is arranged (see `launcher`)."""
        pipes = self.parts.pipes
        pipes.kill()
        pipes.module = "faults.launcher"
        pipes.environment |= arranged
        with suppress(StartupError):  # it may end, as arranged, before it is ready
            pipes.start()

    def await_death(self) -> None:
        """Return once the Pipes service has ended."""
        eventually(lambda: not self.parts.pipes.server.running, 60)

    def await_arranged_death(self) -> None:
        """Return once the Pipes service has ended where `launcher` was told to end it."""
        self.await_death()
        self.struck += 1
        assert self.parts.pipes.log.read_text().count(LAST_WORDS) == self.struck

    def come_through(self) -> Mapping[str, int]:
        """What became of the events, by status, once every fault has happened and all is handled.

        The promise has held: `inventory verify` says so, and the table is the fold of all events
        that are not dead letters.
        """
        eventually(self._all_happened, 60)
        assert self.injected, "no fault was injected"
        records = self.records()
        self._wait_a_while(records)
        said = CliRunner().invoke(cli, ["verify"])
        assert said.exit_code == 0, said.output
        assert "Success: " in said.output
        self.statuses = {name.replace(" ", "_"): int(n) for name, n in _COUNT.findall(said.output)}
        self._assert_folded(records)
        self.green = True
        return self.statuses

    def _wait_a_while(self, records: Iterable[StreamRecord]) -> None:
        """Until the function has reported on all, as a rule: not every line of its log is sure to
        come. `inventory verify` waits as well, but looks less often."""
        last = furthest(record.place for record in records)
        with suppress(AssertionError):
            eventually(lambda: self.stack.log.poll().reaches(last), timeout=15, pause=0.2)

    def _all_happened(self) -> bool:
        assert self.parts.proxy.plan.outstanding == []
        return True

    def _assert_folded(self, records: Sequence[StreamRecord]) -> None:
        letters = self.dead_letters() if self.statuses.get(RecordStatus.DEAD_LETTERED) else []
        healthy = [r for r in records if not any(_covers(letter, r) for letter in letters)]
        expected = expected_of(healthy)
        assert list(table.changes(expected.rows, self.stack.rows())) == []
        assert self.statuses.get(RecordStatus.DEAD_LETTERED, 0) == len(records) - len(healthy)
        assert self.statuses.get(RecordStatus.REJECTED, 0) == expected.outcomes[Outcome.REJECTED]

    def dead_letters(self) -> list[DeadLetter]:
        """They stay where they are."""
        found = Queue(self.stack.clients.sqs, self.stack.names.dead_letter_queue).peek()
        return [letter for m in found if (letter := parse_dead_letter(m.body)) is not None]

    def delivered(self) -> int:
        """How many records this life of the Pipes service has delivered."""
        with urlopen(f"{self.parts.pipes.url}/metrics") as answer:  # noqa: S310 - on the loopback
            found = _DELIVERED.search(answer.read().decode())
        return int(float(found[1])) if found else 0

    def await_dead_letters(self, count: int) -> list[DeadLetter]:
        """All dead letters, once they stand for so many records."""

        def enough() -> list[DeadLetter]:
            letters = self.dead_letters()
            return letters if sum(letter.count for letter in letters) >= count else []

        return eventually(enough, 60)

    def records(self) -> list[StreamRecord]:
        """All that is on the stream."""
        return read_all(self.stack.clients.kinesis, self.stack.names.stream)


def _covers(letter: DeadLetter, record: StreamRecord) -> bool:
    is_within = letter.first <= record.sequence_number <= letter.last
    return record.shard_id == letter.shard_id and is_within
