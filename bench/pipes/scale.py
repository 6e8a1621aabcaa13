"""How much is measured: all of it, or little of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Records that are on a stream before anybody reads it."""

    shards: int
    batch: int
    batches_of_shard: int

    @property
    def records_of_shard(self) -> int:
        return self.batch * self.batches_of_shard

    @property
    def records(self) -> int:
        return self.shards * self.records_of_shard


@dataclass(frozen=True)
class Scale:
    """`calls` are those of the target in one measurement, by shards; times are in seconds."""

    calls: Mapping[int, int]
    function_batches: tuple[int, ...]
    queue_batches: tuple[int, ...]
    most_records: int
    rounds: int
    puts: int
    woken: int
    idle_pipes: int
    sleeping_pipes: int
    sleep: float
    idle: float

    def works(self, batches: tuple[int, ...], times: int = 1) -> list[Work]:
        """Everything that is measured with these batch sizes, with so many times the calls."""
        return [
            self._work(shards, batch, calls * times)
            for batch in batches
            for shards, calls in self.calls.items()
        ]

    def _work(self, shards: int, batch: int, calls: int) -> Work:
        records = min(calls * batch, self.most_records)
        return Work(shards, batch, max(2, records // (shards * batch)))


FULL = Scale(
    calls={1: 200, 4: 600, 16: 960},
    function_batches=(1, 10, 100, 1000),
    queue_batches=(1, 10),
    most_records=64_000,
    rounds=1,
    puts=300,
    woken=40,
    idle_pipes=100,
    sleeping_pipes=10,
    sleep=60.0,
    idle=30.0,
)

# A shard that gave nothing for ten seconds is asked as seldom as one that slept for a minute.
QUICK = Scale(
    calls={1: 60, 4: 200},
    function_batches=(1, 100),
    queue_batches=(10,),
    most_records=16_000,
    rounds=1,
    puts=60,
    woken=10,
    idle_pipes=100,
    sleeping_pipes=10,
    sleep=11.0,
    idle=5.0,
)
