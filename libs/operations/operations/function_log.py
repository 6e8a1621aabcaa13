"""What the function says of its batches, read from its log group."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inventory.stock import Outcome

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from inventory_aws.sender import Accepted

LATE_LINES_MILLISECONDS = 3_000
PATIENCE_SECONDS = 60.0
"""How long a run may go without any progress before it counts as stuck."""

POLL_SECONDS = 0.1

ONLY_IN_BATCH_LINES = '"duration_ms"'


@dataclass
class Progress:
    """What has been handled so far: records by outcome, and how far in each shard."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    last_sequence_numbers: dict[str, int] = field(default_factory=dict)

    def add(self, batch: Mapping[str, Any]) -> None:
        for outcome in Outcome:
            self.outcomes[outcome] += batch[outcome]
        lasts = [(shard, int(last)) for shard, (_, last) in batch["shards"].items()]
        self.last_sequence_numbers = furthest([*self.last_sequence_numbers.items(), *lasts])

    @property
    def handled(self) -> int:
        """How many records have an outcome; one that failed comes again until it has."""
        return self.outcomes.total() - self.outcomes[Outcome.FAILED]

    def reaches(self, last_sequence_numbers: Mapping[str, int]) -> bool:
        """Whether each shard has been handled as far as this."""
        return all(
            self.last_sequence_numbers.get(shard, 0) >= last
            for shard, last in last_sequence_numbers.items()
        )


class FunctionLog:
    """Reads the batch lines that a function logs from `since` (seconds since the epoch) on.

    `on_batch` hears of each, once.
    """

    def __init__(
        self,
        client: CloudWatchLogsClient,
        function: str,
        since: float,
        on_batch: Callable[[Mapping[str, Any]], object] = lambda batch: None,
    ) -> None:
        self._client = client
        self._group = f"/aws/lambda/{function}"
        self._start = int(since * 1000)
        self._on_batch = on_batch
        self._seen: dict[str, int] = {}
        self.progress = Progress()

    def poll(self) -> Progress:
        """Read what is new, and return what it all comes to."""
        for batch in self._new_batches():
            self.progress.add(batch)
            self._on_batch(batch)
        # Instances of the function log side by side: a line may come after one that is younger.
        newest = max(self._seen.values(), default=self._start)
        self._start = max(self._start, newest - LATE_LINES_MILLISECONDS)
        self._seen = {line: at for line, at in self._seen.items() if at >= self._start}
        return self.progress

    def _new_batches(self) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=self._start, filterPattern=ONLY_IN_BATCH_LINES
        )
        try:
            for page in pages:
                for line in page["events"]:
                    # The line itself names its invocation; event ids, not every emulator gives.
                    if line["message"] not in self._seen:
                        self._seen[line["message"]] = line["timestamp"]
                        if (batch := _batch(line["message"])) is not None:
                            yield batch
        except self._client.exceptions.ResourceNotFoundException:
            return  # the function has not been called yet


def furthest(places: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Of records by shard and sequence number, the last number of each shard."""
    last: dict[str, int] = {}
    for shard, sequence_number in places:
        last[shard] = max(last.get(shard, 0), sequence_number)
    return last


def await_outcomes(
    accepted: Sequence[Accepted], look: Callable[[], Progress], pause: Callable[[float], object]
) -> Progress:
    """The progress once every record has an outcome, or none has come for too long."""
    last = furthest((a.shard_id, int(a.sequence_number)) for a in accepted)
    handled, deadline = -1, 0.0
    while True:
        progress = look()
        if progress.reaches(last) and progress.handled >= len(accepted):
            return progress
        if progress.handled > handled:
            handled, deadline = progress.handled, time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            return progress
        pause(POLL_SECONDS)


def _batch(message: str) -> Mapping[str, Any] | None:
    """The batch line that a log message is, if it is one."""
    try:
        line = json.loads(message)
    except json.JSONDecodeError:
        return None
    is_batch = isinstance(line, dict) and line.get("message") == "batch"
    return line if is_batch else None
