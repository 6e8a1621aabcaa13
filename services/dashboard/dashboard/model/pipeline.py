"""The pipeline as it is known: rows, events and their fates, rates, latencies. Pure.

What the function does with an event is known twice over. Its log tells which stretch of a shard a
batch was and how many came to what; the rules of the stock, applied to the row as it was, tell
which event came to what. The table's own stream then says how the row really is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.model.entry import Entry
from dashboard.model.figures import Figures
from dashboard.model.fold import Fold, RowChange, bound
from dashboard.model.products import Products
from dashboard.model.shard import Shard, Stretch
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
    """Something that a user of the page did, to be seen on the charts."""

    at: float
    text: str


class Pipeline:
    """Folds what is reported. Not for several threads at once."""

    def __init__(self, names: RemovalNamePolicy = RemovalNamePolicy.IGNORE) -> None:
        self._fold = Fold(names)
        self.products = Products()
        self.counts = Counts()
        self.latencies = Samples()
        self.figures = Figures()
        self.latest: deque[Entry] = deque(maxlen=LATEST)
        self.failures: deque[Entry] = deque(maxlen=FAILURES)
        self.marks: deque[Mark] = deque(maxlen=LATEST)
        self._finished: deque[Entry] = deque(maxlen=LATEST)
        self.version = 0
        self._shards: dict[str, Shard] = {}
        self._failed: dict[str, set[tuple[str, int]]] = {}
        self._reasons: dict[tuple[str, int], str] = {}

    def scanned(self, rows: Iterable[Row], at: float) -> None:
        """The whole table, read anew."""
        found = list(rows)
        self._fold.scanned(found, at)
        self.products.reset(found, at)

    def changed(self, changes: Sequence[RowChange]) -> None:
        """What the table's stream told, in its order."""
        for change in changes:
            self.counts.add(change.at, {WRITTEN: 1})
            self.products.change(change.product_id, change.after, change.at)
            self._fold.changed(change)

    def arrived(self, records: Iterable[StreamRecord]) -> None:
        """Records of the stream, of each shard in its order."""
        touched = set()
        again = set()
        for record in records:
            entry = Entry.of(record)
            if self._shard(record.shard_id).arrive(entry):
                if origin := origin_of(record.data):
                    again.add(origin)
                self.counts.add(record.arrived_at, {PUT: 1})
                self.latest.append(entry)
                self.products.remember(entry)
                touched.add(record.shard_id)
        for shard_id in touched:
            self._settle(self._shards[shard_id])
        if again:
            self.redriven(again)
        self.version += bool(touched)

    def reported(self, line: Mapping[str, Any]) -> None:
        """A line of the function about one record that it rejected, or failed to handle."""
        shard_id, _, number = str(line["record_id"]).partition(":")
        place = (shard_id, int(number))
        if line.get("message") == "record failed":
            self._failed.setdefault(str(line.get("function_request_id")), set()).add(place)
        else:
            self._reasons[place] = str(line.get("reason"))
        bound(self._failed)
        bound(self._reasons)

    def batch(self, line: Mapping[str, Any]) -> None:
        """A line of the function about a batch."""
        done_at = float(line["done_at"])
        counts = {outcome.value: int(line[outcome]) for outcome in Outcome}
        self.counts.add(done_at, {**counts, BATCHES: 1})
        self.figures.batch_ms = float(line["duration_ms"])
        self.figures.batch_size = float(line["records"])
        failed = self._failed.pop(str(line.get("function_request_id")), set())
        for shard_id, (first, last) in line["shards"].items():
            numbers = frozenset(number for of, number in failed if of == shard_id)
            shard = self._shard(shard_id)
            shard.cover(Stretch(int(last), int(first), done_at, numbers))
            self._settle(shard)
        self.version += 1

    def tick(self, now: float) -> None:
        """Give up on what the pipe has given up on."""
        for shard in self._shards.values():
            for entry in shard.passed_over(now - LATE_LINES_SECONDS):
                entry.fate, entry.effect = RecordStatus.DEAD_LETTERED, "the pipe gave up"
                self._finish(entry, now)

    def queued(self, fates: Collection[RecordStatus], places: Collection[Place], at: float) -> None:
        """Their queues had only these in them. Of the others, those that may come late stay."""
        before = at - LATE_LINES_SECONDS
        self._drop(
            lambda e: e.fate in fates and e.place not in places and (e.done_at or 0.0) < before
        )

    def redriven(self, places: Collection[Place]) -> None:
        """These have left their queue."""
        self._drop(lambda entry: entry.place in places)

    def newest(self, count: int) -> list[Entry]:
        """The newest events. Few of them have no outcome yet, so that at a high rate those that
        have one stay in sight."""
        waiting = [entry for entry in reversed(self.latest) if entry.fate is RecordStatus.WAITING]
        return _newest_first([*waiting[:WAITING_SHOWN], *list(self._finished)[-count:]])[:count]

    def newest_failures(self) -> list[Entry]:
        return _newest_first(self.failures)

    @property
    def waiting(self) -> int:
        """Events that were seen on the stream and have no outcome yet."""
        return sum(len(shard.waiting) for shard in self._shards.values())

    def oldest_waiting(self, now: float) -> float:
        """For how many seconds the oldest of them has been waiting."""
        firsts = [
            next(iter(shard.waiting.values())).arrived_at
            for shard in self._shards.values()
            if shard.waiting
        ]
        return max(0.0, now - min(firsts)) if firsts else 0.0

    def _shard(self, shard_id: str) -> Shard:
        return self._shards.setdefault(shard_id, Shard())

    def _settle(self, shard: Shard) -> None:
        for entry in shard.done():
            done_at = entry.done_at or entry.arrived_at
            self.latencies.add(done_at, max(0.0, done_at - entry.arrived_at))
            entry.fate, entry.effect = self._judged(entry)
            self._finish(entry, done_at)

    def _finish(self, entry: Entry, at: float) -> None:
        entry.done_at = at
        self._finished.append(entry)
        if entry.fate in (RecordStatus.REJECTED, RecordStatus.DEAD_LETTERED):
            self.failures.append(entry)
        self.version += 1

    def _drop(self, has_left: Callable[[Entry], bool]) -> None:
        kept = [entry for entry in self.failures if not has_left(entry)]
        if len(kept) < len(self.failures):
            self.failures = deque(kept, maxlen=FAILURES)
            self.version += 1

    def _judged(self, entry: Entry) -> tuple[RecordStatus, str]:
        reason = self._reasons.get(entry.place)
        if entry.event is None:
            return RecordStatus.REJECTED, reason or entry.effect
        return self._fold.judge(entry, entry.event, reason)


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.arrived_at, entry.place[1]), reverse=True)
