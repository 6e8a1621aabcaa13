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

FUNCTION_LOGS = "/aws/lambda/"
"""How the names of functions' log groups begin."""

LATE_MILLISECONDS = 10_000
"""Instances of a function log side by side: a line may come after one that is younger."""

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


class LogReader:
    """Reads the lines of a log group from `since` (epoch seconds) on, each once."""

    def __init__(self, client: CloudWatchLogsClient, group: str, since: float) -> None:
        self._client = client
        self._group = group
        self._start = int(since * 1000)
        self._known: Counter[tuple[str, int, str]] = Counter()

    def new_lines(self, filter_pattern: str) -> list[str]:
        """Return the lines that match the pattern and were not returned before."""
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=self._start, filterPattern=filter_pattern
        )
        try:
            # Not every emulator gives the ids of log events, so equal lines are counted.
            lines = Counter(
                (event.get("logStreamName", ""), event["timestamp"], event["message"])
                for page in pages
                for event in page["events"]
            )
        except self._client.exceptions.ResourceNotFoundException:
            return []  # the function has not been called yet
        new = lines - self._known
        newest = max((at for _, at, _ in lines), default=0)
        self._start = max(self._start, newest - LATE_MILLISECONDS)
        self._known = Counter(
            {line: n for line, n in (self._known | lines).items() if line[1] >= self._start}
        )
        return [message for _, _, message in new.elements()]


class FunctionLog:
    """Reads what a function logs from `since` (epoch seconds) on, with the progress that it shows.

    `on_batch` gets the line of each batch.
    """

    def __init__(
        self,
        client: CloudWatchLogsClient,
        function: str,
        since: float,
        on_batch: Callable[[Mapping[str, Any]], object] = lambda batch: None,
    ) -> None:
        self._reader = LogReader(client, f"{FUNCTION_LOGS}{function}", since)
        self.on_batch = on_batch
        self.progress = Progress()

    def poll(self) -> Progress:
        """Read the new batches, and return the progress of all so far."""
        for line in self.new_lines(BATCH_LINES):
            if line.get("message") == "batch":
                self.progress.add(line)
                self.on_batch(line)
        return self.progress

    def new_lines(self, filter_pattern: str) -> list[dict[str, Any]]:
        """Return the JSON objects among the new lines that match the pattern."""
        found = (_json(line) for line in self._reader.new_lines(filter_pattern))
        return [line for line in found if isinstance(line, dict)]


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
