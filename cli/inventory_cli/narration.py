"""What people read while a run goes on, and at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Self, TextIO

from inventory.stock import Outcome
from inventory_cli.demo import Verdict

LINE_EVERY_SECONDS = 2.0
"""Where lines cannot be written over."""

MOST_PROBLEMS = 20


class ProgressLine:
    """How far a run is: one line that is written over on a terminal, one now and then elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._over = out.isatty()
        self._unwritten = ""
        self._written_at = time.monotonic()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """The last line stays."""
        if self._over and self._width:
            self._out.write("\n")
        elif self._unwritten:
            self._write(self._unwritten)

    def show(self, text: str) -> None:
        if self._over:
            self._out.write(f"\r{text:<{self._width}}")
            self._out.flush()
            self._width = len(text)
            return
        self._unwritten = text
        if time.monotonic() - self._written_at >= LINE_EVERY_SECONDS:
            self._write(text)

    def note(self, text: str) -> None:
        """A line of its own, that stays."""
        if self._over and self._width:
            self._out.write("\n")
        self._write(text)
        self._width = 0

    def _write(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()
        self._unwritten, self._written_at = "", time.monotonic()


def outcomes(counts: Mapping[Outcome, int]) -> str:
    """Every outcome with its count; `failed` counts tries, and only shows when there were some."""
    shown = [o for o in Outcome if o is not Outcome.FAILED or counts[o]]
    return ", ".join(f"{o.value.replace('_', ' ')} {counts[o]}" for o in shown)


def conclusion(verdict: Verdict) -> Iterator[str]:
    """The lines that end a demo."""
    total = verdict.expected.outcomes.total()
    yield f"Outcomes  {outcomes(verdict.outcomes)}"
    yield f"Rate      {total / verdict.seconds:.1f} events per second, first put to last outcome"
    if verdict.latencies:
        p50, p99 = (f"{verdict.latency(share) * 1000:.0f} ms" for share in (0.5, 0.99))
        yield f"Latency   p50 {p50}, p99 {p99} from put to row ({len(verdict.latencies)} events)"
    for problem in verdict.problems[:MOST_PROBLEMS]:
        yield f"  wrong: {problem}"
    if len(verdict.problems) > MOST_PROBLEMS:
        yield f"  … and {len(verdict.problems) - MOST_PROBLEMS} more"
    if not verdict.problems:
        yield (
            f"Table     {len(verdict.expected.rows)} rows, exactly what the {total} events fold to"
        )
        yield "All is well: every event has its outcome, and the table is right."
