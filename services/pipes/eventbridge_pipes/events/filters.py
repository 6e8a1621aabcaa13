"""Which events go through a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from eventbridge_pipes.events.event import Event
from eventbridge_pipes.events.patterns import Pattern


class Filter:
    """Lets an event through that matches any of `patterns`. Without any it is false: all pass.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def passes(self, event: Event) -> bool:
        return not self._patterns or any(pattern.matches(event) for pattern in self._patterns)
