"""The function's log: the outcomes of its batches, and when each record was handled."""

from __future__ import annotations

import json
import time
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inventory.stock import Outcome

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from inventory_aws.sender import Accepted

LATE_LINES_SECONDS = 3.0
STUCK_SECONDS = 60.0
"""After so long without an outcome, the pipeline counts as stuck."""

POLL_SECONDS = 0.1

BATCH_LINES = '"duration_ms"'
"""A filter pattern: only the line of a batch has this member."""


@dataclass
class Progress:
    """What was handled so far: records by outcome, and the last sequence number of each shard."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    last_sequence_numbers: dict[str, int] = field(default_factory=dict)

    def add(self, batch: Mapping[str, Any]) -> None:
        for outcome in Outcome:
            self.outcomes[outcome] += batch[outcome]
        lasts = [(shard, int(last)) for shard, (_, last) in batch["shards"].items()]
        self.last_sequence_numbers = furthest([*self.last_sequence_numbers.items(), *lasts])

    @property
    def handled(self) -> int:
        """How many records have an outcome; one that failed is retried until it has."""
        return self.outcomes.total() - self.outcomes[Outcome.FAILED]

    def reaches(self, last_sequence_numbers: Mapping[str, int]) -> bool:
        """Whether each shard was handled up to this sequence number."""
        return all(
            self.last_sequence_numbers.get(shard, 0) >= last
            for shard, last in last_sequence_numbers.items()
        )


@dataclass
class FunctionLog:
    """Reads the lines that a function logs after `since` (epoch seconds)."""

    client: CloudWatchLogsClient
    function: str
    since: float
    on_batch: Callable[[Mapping[str, Any]], object] = lambda batch: None
    progress: Progress = field(default_factory=Progress)
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def _start(self) -> int:
        return int(self.since * 1000)

    def poll(self) -> Progress:
        """Read the new batches, and return the progress of all so far."""
        for line in self.new_lines(BATCH_LINES):
            if line.get("message") == "batch":
                self.progress.add(line)
                self.on_batch(line)
        return self.progress

    def new_lines(self, filter_pattern: str) -> list[dict[str, Any]]:
        """The JSON objects that match the pattern, each once."""
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{self.function}",
            startTime=self._start,
            filterPattern=filter_pattern,
        )
        try:
            # Read all pages before any line counts as seen: a later page may fail.
            lines = [line for page in pages for line in page["events"]]
        except self.client.exceptions.ResourceNotFoundException:
            lines = []  # the function has not been called yet
        new: list[str] = []
        for line in lines:
            # The line itself names its invocation; not every emulator returns event ids.
            if line["message"] not in self._seen:
                self._seen[line["message"]] = line["timestamp"]
                new.append(line["message"])
        # Instances of the function log side by side: a line may come after one that is younger.
        newest = max(self._seen.values(), default=0) / 1000
        self.since = max(self.since, newest - LATE_LINES_SECONDS)
        self._seen = {line: at for line, at in self._seen.items() if at >= self._start}
        return [found for text in new if isinstance(found := _json(text), dict)]


class HandlingTimes:
    """When each record was handled, by the function's clock. Batches may come in any order."""

    def __init__(self) -> None:
        self._batches: dict[str, list[tuple[int, float, int]]] = defaultdict(list)

    def add(self, batch: Mapping[str, Any]) -> None:
        """Add a batch, unless it failed in part: then it does not say in which part."""
        if batch["failed"]:
            return
        for shard, (first, last) in batch["shards"].items():
            insort(self._batches[shard], (int(last), batch["done_at"], int(first)))

    def first(self, shard: str) -> float:
        """When the first batch of the shard was handled; there must be one."""
        return self._batches[shard][0][1]

    def of(self, shard: str, sequence_number: int) -> float | None:
        """When the record was handled, in epoch seconds; None if that is not known."""
        batches = self._batches[shard]
        at = bisect_left(batches, (sequence_number,))
        if at == len(batches):
            return None
        _, done_at, first = batches[at]
        return done_at if first <= sequence_number else None


def furthest(places: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The last sequence number of each shard."""
    last: dict[str, int] = {}
    for shard, sequence_number in places:
        last[shard] = max(last.get(shard, 0), sequence_number)
    return last


def await_outcomes(
    accepted: Sequence[Accepted], look: Callable[[], Progress], pause: Callable[[float], object]
) -> Progress:
    """Return the progress once every record has an outcome, or none has come for too long."""
    last = furthest((a.shard_id, int(a.sequence_number)) for a in accepted)
    handled, deadline = -1, 0.0
    while True:
        progress = look()
        if progress.reaches(last) and progress.handled >= len(accepted):
            return progress
        if progress.handled > handled:
            handled, deadline = progress.handled, time.monotonic() + STUCK_SECONDS
        elif time.monotonic() > deadline:
            return progress
        pause(POLL_SECONDS)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
