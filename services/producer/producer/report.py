"""Turns what the sender reports into what the output shows."""

from __future__ import annotations

from collections.abc import Callable

from producer.jsonoutput import JsonOutput
from producer.sender import Accepted, Refused
from producer.tally import Summary, Tally
from producer.textoutput import TextOutput


class Report:
    """Counts, shows each event if asked to, and progress as often as the output wants it."""

    def __init__(
        self, output: TextOutput | JsonOutput, *, each_event: bool, clock: Callable[[], float]
    ) -> None:
        self._output = output
        self._each_event = each_event
        self._clock = clock
        self._last_progress = clock()
        self._tally = Tally(self._last_progress)

    def accepted(self, accepted: Accepted) -> None:
        self._tally.accepted(accepted.event)
        if self._each_event:
            self._output.event(accepted)
        now = self._clock()
        if now - self._last_progress >= self._output.progress_every:
            self._last_progress = now
            self._output.progress(self._tally.summary(now))

    def refused(self, refused: Refused) -> None:
        self._tally.refused(refused.records)
        self._output.refused(refused)

    def summary(self) -> Summary:
        return self._tally.summary(self._clock())
