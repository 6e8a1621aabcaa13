"""How the figures are printed: beside those that are to be reached, whether they are."""

from __future__ import annotations

from collections.abc import Iterable

from bench.figures import columns, row
from bench.pipes.idle import Idle
from bench.pipes.latency import Latency
from bench.pipes.throughput import Throughput

SHARE = 0.7
FLAT = 1.25
MIB = 1024 * 1024
MB = 1_000_000


class Report:
    """Prints figures, and keeps the names of those that are not what they are to be."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def throughput(self, to: str, measured: Iterable[Throughput]) -> None:
        """As they come. The mapping's column is filled where it was measured."""
        columns("batch", "shards", "calls alone", "pipe", "share", "", "µs/record", "mapping")
        costs: dict[int, dict[int, float]] = {}
        for m in measured:
            name = f"{to}, batch size {m.work.batch}, shards: {m.work.shards}"
            columns(
                f"{m.work.batch}",
                f"{m.work.shards}",
                f"{m.alone:.0f}",
                f"{m.pipe:.0f}",
                f"{m.share:.2f}",
                self._judged(f"share of the limit ({name})", m.share >= SHARE),
                f"{m.cost * 1e6:.0f}",
                f"{m.mapping:.0f}" if m.mapping else "",
            )
            costs.setdefault(m.work.batch, {})[m.work.shards] = m.cost
        for batch, by_shards in costs.items():
            few, many = min(by_shards), max(by_shards)
            times = by_shards[many] / by_shards[few]
            label = f"cost of a record, {many} shards beside {few}, batch size {batch}"
            self._row(label, f"{times:.2f}", times <= FLAT, f"{FLAT:g} or less")

    def latency(
        self, label: str, measured: Latency, calls: Latency, within: float | None = None
    ) -> None:
        """`within` is how many seconds the median may be over that of the calls, None for any."""
        over = measured.p50 - calls.p50
        if within is None:
            row(f"{label}, p50", _milliseconds(measured.p50))
        else:
            wanted = f"{within * 1000:.0f} ms or less over the calls; is {over * 1000:.0f}"
            self._row(f"{label}, p50", _milliseconds(measured.p50), over <= within, wanted)
        row(f"{label}, p99", _milliseconds(measured.p99))

    def idle(self, label: str, idle: Idle, cpu: float, memory: int | None = None) -> None:
        """`cpu` is the share of a core, `memory` the MiB that it may have."""
        wanted = f"under {cpu * 100:.0f} %"
        self._row(f"{label}, of a core", f"{idle.cpu * 100:.1f} %", idle.cpu < cpu, wanted)
        size = idle.memory / MIB
        if memory is None:
            row(f"{label}, memory", f"{size:.0f} MiB")
        else:
            self._row(f"{label}, memory", f"{size:.0f} MiB", size < memory, f"under {memory} MiB")

    def processor(self, label: str, seconds: float, within: float | None = None) -> None:
        """`within` is how many seconds are wanted at most, None for any."""
        if within is None:
            row(label, _milliseconds(seconds, 2))
        else:
            wanted = f"{within * 1000:g} ms or less"
            self._row(label, _milliseconds(seconds, 2), seconds <= within, wanted)

    def peak(self, label: str, size: int, within: int) -> None:
        """`within` is how many MB are wanted at most."""
        self._row(label, f"{size / MB:.0f} MB", size <= within * MB, f"{within} MB or less")

    def _row(self, label: str, value: str, reached: bool, wanted: str) -> None:
        row(label, value, f"wanted: {wanted}: {self._judged(label, reached)}")

    def _judged(self, name: str, reached: bool) -> str:
        if reached:
            return "reached"
        self.missed.append(name)
        return "missed"


def calls_alone(calls: Latency) -> None:
    row("PutRecord, GetRecords and Invoke alone, p50", _milliseconds(calls.p50))
    row("PutRecord, GetRecords and Invoke alone, p99", _milliseconds(calls.p99))


def peer(latency: Latency) -> None:
    row("MiniStack's event source mapping, p50", _milliseconds(latency.p50))
    row("MiniStack's event source mapping, p99", _milliseconds(latency.p99))


def _milliseconds(seconds: float, digits: int = 1) -> str:
    return f"{seconds * 1000:.{digits}f} ms"
