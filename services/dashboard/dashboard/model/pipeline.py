"""The pipeline as the sources report it: rows, events and their outcomes, rates, latencies. Pure.

The function's log says which records a batch had and counts their outcomes. The rules of the stock,
applied to the row before an event, say which outcome it had. The table's stream says what the rows
really are.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.model.event import TrackedEvent
from dashboard.model.figures import Figures
from dashboard.model.products import Products
from dashboard.model.rows import RowChange, TrackedRows, bound
from dashboard.model.shard import BatchRange, Shard
from dashboard.model.window import Counts, Samples
from inventory.stock import Outcome, RemovalNamePolicy, Row
from inventory_aws.stream import Place, StreamRecord
from operations.redrive.failed_event import origin_of
from operations.verify.explain import RecordStatus

PUT = "put"
WRITTEN = "written"
BATCHES = "batches"
LATEST = 200
WAITING_SHOWN = 5
FAILURES = 500
LATE_LINES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Mark:
    """An action of a user, as the charts show it."""

    at: float
    text: str


class Pipeline:
    """For one thread at a time."""

    def __init__(self, policy: RemovalNamePolicy = RemovalNamePolicy.IGNORE) -> None:
        self.version = 0
        self.products = Products()
        self.counts = Counts()
        self.latencies = Samples()
        self.figures = Figures()
        self.latest: deque[TrackedEvent] = deque(maxlen=LATEST)
        self.failures: deque[TrackedEvent] = deque(maxlen=FAILURES)
        self.marks: deque[Mark] = deque(maxlen=LATEST)
        self._rows = TrackedRows(policy)
        self._finished: deque[TrackedEvent] = deque(maxlen=LATEST)
        self._shards: defaultdict[str, Shard] = defaultdict(Shard)
        self._failed: defaultdict[str, set[Place]] = defaultdict(set)
        self._rejections: dict[Place, str] = {}

    def scanned(self, rows: Sequence[Row], at: float) -> None:
        """Take a scan of the whole table."""
        self._rows.scanned(rows, at)
        self.products.reset(rows, at)

    def changed(self, changes: Iterable[RowChange]) -> None:
        """Take changes of the table's stream, in their order."""
        for change in changes:
            self.counts.add(change.at, {WRITTEN: 1})
            self.products.change(change.product_id, change.after, change.at)
            self._rows.changed(change)

    def arrived(self, records: Sequence[StreamRecord]) -> None:
        """Take records of the stream, of each shard in their order."""
        for record in records:
            tracked = TrackedEvent.of(record)
            if not self._shards[record.shard_id].arrive(tracked):
                continue
            self.version += 1
            self.counts.add(record.arrived_at, {PUT: 1})
            self.latest.append(tracked)
            self.products.remember(tracked)
            if origin := origin_of(record.data):
                self.redriven([origin])
        for shard_id in {record.shard_id for record in records}:
            self._finish_done(self._shards[shard_id])

    def reported(self, line: Mapping[str, Any]) -> None:
        """Take a line of the function's log about a record that it rejected or failed to handle."""
        shard_id, _, number = str(line["record_id"]).partition(":")
        place = (shard_id, int(number))
        if line["message"] == "record failed":
            self._failed[line["function_request_id"]].add(place)
        else:
            self._rejections[place] = str(line["reason"])
        bound(self._failed)
        bound(self._rejections)

    def batch(self, line: Mapping[str, Any]) -> None:
        """Take a line of the function's log about a batch, after those about its records."""
        done_at = float(line["done_at"])
        counts = {outcome.value: int(line[outcome]) for outcome in Outcome}
        self.counts.add(done_at, {**counts, BATCHES: 1})
        self.figures.batch_ms = float(line["duration_ms"])
        self.figures.batch_size = int(line["records"])
        failed = self._failed.pop(line["function_request_id"], set())
        for shard_id, (first, last) in line["shards"].items():
            numbers = frozenset(number for of, number in failed if of == shard_id)
            shard = self._shards[shard_id]
            shard.cover(BatchRange(int(first), int(last), done_at, numbers))
            self._finish_done(shard)
        self.version += 1

    def tick(self, now: float) -> None:
        """Find the events that the pipe has given up."""
        for shard in self._shards.values():
            for tracked in shard.take_given_up(now - LATE_LINES_SECONDS):
                self._finish(tracked, now, RecordStatus.DEAD_LETTERED, "the pipe gave up")

    def queued(
        self, statuses: Collection[RecordStatus], places: Collection[Place], at: float
    ) -> None:
        """Take what was in the queues of these statuses. A message may still be on its way."""
        before = at - LATE_LINES_SECONDS
        self._drop_failures(
            lambda e: e.status in statuses and e.place not in places and e.done_at < before
        )

    def redriven(self, places: Collection[Place]) -> None:
        """Forget the failures of events that have left their queue."""
        self._drop_failures(lambda tracked: tracked.place in places)

    def newest(self, count: int) -> list[TrackedEvent]:
        """Return the newest events, few of them without an outcome: at a high rate they would
        crowd out the others."""
        waiting = [each for each in self.latest if each.status is RecordStatus.WAITING]
        finished = list(self._finished)[-count:]
        return _newest_first([*waiting[-WAITING_SHOWN:], *finished])[:count]

    def newest_failures(self) -> list[TrackedEvent]:
        return _newest_first(self.failures)

    @property
    def waiting(self) -> int:
        """The number of events on the stream without an outcome."""
        return sum(len(shard.waiting) for shard in self._shards.values())

    def oldest_waiting(self, now: float) -> float:
        """Return for how many seconds the oldest of them has waited."""
        waiting = [shard.waiting for shard in self._shards.values() if shard.waiting]
        arrived = [next(iter(events.values())).arrived_at for events in waiting]
        return max(0.0, now - min(arrived, default=now))

    def _finish_done(self, shard: Shard) -> None:
        for tracked in shard.take_done():
            self.latencies.add(tracked.done_at, max(0.0, tracked.done_at - tracked.arrived_at))
            rejection = self._rejections.get(tracked.place)
            self._finish(tracked, tracked.done_at, *self._rows.judge(tracked, rejection))

    def _finish(self, tracked: TrackedEvent, at: float, status: RecordStatus, effect: str) -> None:
        tracked.done_at, tracked.status, tracked.effect = at, status, effect
        self._finished.append(tracked)
        if status in (RecordStatus.REJECTED, RecordStatus.DEAD_LETTERED):
            self.failures.append(tracked)
        self.version += 1

    def _drop_failures(self, has_left: Callable[[TrackedEvent], bool]) -> None:
        kept = [tracked for tracked in self.failures if not has_left(tracked)]
        if len(kept) < len(self.failures):
            self.failures = deque(kept, maxlen=FAILURES)
            self.version += 1


def _newest_first(events: Iterable[TrackedEvent]) -> list[TrackedEvent]:
    return sorted(events, key=lambda tracked: (tracked.arrived_at, tracked.place[1]), reverse=True)
