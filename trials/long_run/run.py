"""Carries a plan out on a stack."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from inventory.stock import RemovalNamePolicy
from long_run.ledger import Ledger
from long_run.plan import CHUNK, Blow, Plan
from long_run.traffic import Put, traffic
from long_run.verified import Verified, verify
from operations.expectation import expect
from operations.verify.explain import RecordStatus
from stack import EmbeddedBackend, Stack
from waiting import eventually

Tell = Callable[[str], None]

DEADLINE_SECONDS = 180.0
"""How long no record may be handled before the run counts as stuck."""

POLL_SECONDS = 0.5
"""Each look costs the emulator as much as some invocations."""

TELL_SECONDS = 10.0


class StuckError(Exception):
    """What has to come has not come for too long."""


@dataclass(frozen=True)
class Struck:
    """A blow, `at` how many seconds, and how many records were under way then: of a reshard, those
    in the shards that it closed."""

    blow: Blow
    at: float
    under_way: int


@dataclass
class Run:
    """`placed` is what was put, with shard and sequence number; times are in seconds."""

    backend: EmbeddedBackend
    stack: Stack
    plan: Plan
    tell: Tell
    placed: list[tuple[str, int, Put]] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    open_shards: int = 0
    delivered_in: float = 0.0
    verified_in: float = 0.0
    verified: Verified = field(default_factory=lambda: Verified(-1, ""))
    _ledger: Ledger = field(default_factory=Ledger)
    _began: float = field(default_factory=time.monotonic)
    _told: float = 0.0

    def carry_out(self) -> None:
        """Raises StuckError."""
        left = traffic(self.plan.seed, self.plan.events, self.plan.products, self.plan.hanging)
        self._began = time.monotonic()
        for at, blow in self.plan.blows:
            self._put_until(at, left)
            self._strike(blow, left)
        self._put_until(self.plan.events, left)
        self.tell(f"{self._now:5.0f} s: all records are put")
        self._await(at_most=0)
        self._await_dead_letters()
        self.delivered_in = self._now
        self.tell(f"{self._now:5.0f} s: inventory verify …")
        self.verified = verify(self.stack)
        self.verified_in = self._now - self.delivered_in

    def expected(self) -> Counter[RecordStatus]:
        """What must have become of the records: of those that crash, nothing in the table."""
        healthy = [
            (number, put.event.partition_key, put.event.payload)
            for _, number, put in self.placed
            if not put.ending
        ]
        outcomes = expect({}, healthy, RemovalNamePolicy.IGNORE).outcomes
        statuses = Counter({RecordStatus(outcome): count for outcome, count in outcomes.items()})
        statuses[RecordStatus.DEAD_LETTERED] = len(self.placed) - len(healthy)
        return statuses

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    def _put_until(self, count: int, left: list[Put]) -> None:
        """Put until so many are, never more than `ahead` of what is handled."""
        while len(self.placed) < count:
            room = self.plan.ahead - self._await(at_most=self.plan.ahead - CHUNK)
            for _ in range(min(room, count - len(self.placed)), 0, -CHUNK):
                self._put(left)

    def _put(self, left: list[Put]) -> None:
        puts = left[:CHUNK]
        del left[:CHUNK]
        answers = self.stack.put((put.event.partition_key, put.event.payload) for put in puts)
        placed = [(s, n, put) for (s, n, _), put in zip(answers, puts, strict=True)]
        self._ledger.put((s, n) for s, n, put in placed if not put.ending)
        self.placed += placed

    def _strike(self, blow: Blow, left: list[Put]) -> None:
        match blow:
            case Blow.KILL:
                self.backend.kill_pipes()
                under_way = self._under_way()
                self._put(left)
                self.backend.start_pipes()
            case Blow.RESHARD:
                self._reshard()
                under_way = self._under_way()  # of the parents: nothing else was put since
        self.struck.append(Struck(blow, self._now, under_way))
        self.tell(f"{self._now:5.0f} s: {blow}, {under_way} records under way")

    def _reshard(self) -> None:
        kinesis, name = self.stack.clients.kinesis, self.stack.names.stream
        kinesis.update_shard_count(
            StreamName=name, TargetShardCount=self.plan.shards[1], ScalingType="UNIFORM_SCALING"
        )
        kinesis.get_waiter("stream_exists").wait(StreamName=name)
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        self.open_shards = summary["OpenShardCount"]

    def _under_way(self) -> int:
        return sum(self._ledger.under_way(self.stack.log.poll()).values())

    def _await(self, at_most: int) -> int:
        """Until no more than so many records are under way; how many then are."""
        least, since = self.plan.events + 1, time.monotonic()
        while (under_way := self._under_way()) > at_most:
            if under_way < least:
                least, since = under_way, time.monotonic()
            elif time.monotonic() - since > DEADLINE_SECONDS:
                raise StuckError(f"{under_way} records are under way, and none is handled")
            if self._now - self._told > TELL_SECONDS:
                self._told = self._now
                self.tell(f"{self._now:5.0f} s: {len(self.placed)} put, {under_way} under way")
            time.sleep(POLL_SECONDS)
        return under_way

    def _await_dead_letters(self) -> None:
        """Until there are as many as records that crash: one may be at the end of its shard."""
        sqs = self.stack.clients.sqs
        url = sqs.get_queue_url(QueueName=self.stack.names.dead_letter_queue)["QueueUrl"]
        crashing = sum(put.ending is not None for _, _, put in self.placed)

        def all_there() -> bool:
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            return int(answer["Attributes"]["ApproximateNumberOfMessages"]) >= crashing

        try:
            eventually(all_there, DEADLINE_SECONDS, POLL_SECONDS)
        except AssertionError:
            raise StuckError(f"fewer than {crashing} records are dead-lettered") from None
