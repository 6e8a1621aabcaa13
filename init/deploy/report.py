"""What people are told of a deployment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from deploy.stack import STACK, Event

MAIN = {"Stream": "stream", "Pipe": "pipe", "Processor": "function", "Inventory": "table"}
"""The resources that matter to everybody, by their logical ids."""


class Report:
    """What became of the resources: a line for each that matters, and a count of all."""

    def __init__(self, tell: Callable[[str], object], *, verbose: bool = False) -> None:
        self._tell = tell
        self._verbose = verbose
        self._counts: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        if event.kind == STACK or event.done is None:
            return
        self._counts[event.done] += 1
        if self._verbose or event.logical_id in MAIN:
            what = MAIN.get(event.logical_id, event.logical_id)
            self._tell(f"{event.done} {what} {event.physical_id}")

    def __str__(self) -> str:
        counts = (f"{count} {done}" for done, count in self._counts.items())
        return ", ".join(counts) or "nothing to change"
