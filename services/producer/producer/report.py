"""Turns what the sender reports into what the output shows."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from inventory_aws.sender import Accepted, Refused
from producer.jsonoutput import JsonOutput
from producer.tally import Summary, Tally
from producer.textoutput import TextOutput

KEPT_SHARE = 0.9
"""The share of the rate asked for from which it counts as kept."""

WARN_AFTER = 10.0
WARN_EVERY = 60.0
SHORTEST_RUN = 1.0
"""Seconds. Over less time than that, an average says little."""


class Report:
    """Counts, shows each event if asked to, and progress as often as the output wants it.

    It warns after 10 seconds, then once a minute, while fewer events are accepted than were
    `asked` for (events per second, or None).
    """

    def __init__(
        self,
        output: TextOutput | JsonOutput,
        *,
        each_event: bool,
        clock: Callable[[], float],
        asked: Callable[[], float | None] = lambda: None,
        warn: Callable[[str], object] = lambda text: None,
    ) -> None:
        self._output = output
        self._each_event = each_event
        self._clock = clock
        self._last_progress = clock()
        self._tally = Tally(self._last_progress)
        self._asked = asked
        self._warn = warn
        self._whole = Average(asked(), self._last_progress)
        self._lately = Average(asked(), self._last_progress)
        self._next_warning = self._last_progress + WARN_AFTER

    def accepted(self, accepted: Accepted) -> None:
        self._tally.accepted(accepted.event)
        if self._each_event:
            self._output.event(accepted)
        now = self._clock()
        if now - self._last_progress >= self._output.progress_every:
            self._last_progress = now
            self._output.progress(self._tally.summary(now))
        self._watch_the_rate(now)

    def refused(self, refused: Refused) -> None:
        self._tally.refused(refused.records)
        self._output.refused(refused)

    def summary(self) -> Summary:
        return self._tally.summary(self._clock())

    def warn_at_the_end(self) -> None:
        if text := self._whole.shortfall(self._clock(), SHORTEST_RUN):
            self._warn(text)

    def _watch_the_rate(self, now: float) -> None:
        if (asked := self._asked()) != self._whole.asked:
            self._whole, self._lately = Average(asked, now), Average(asked, now)
        self._whole.events += 1
        self._lately.events += 1
        if now - self._lately.since >= WARN_AFTER:
            text = self._lately.shortfall(now, WARN_AFTER)
            self._lately = Average(asked, now)
            if text and now >= self._next_warning:
                self._next_warning = now + WARN_EVERY
                self._warn(text)


class Average:
    """The events since the clock showed `since`, and how many per second were `asked` for."""

    def __init__(self, asked: float | None, since: float) -> None:
        self.asked = asked
        self.since = since
        self.events = 0

    def shortfall(self, now: float, at_least: float) -> str | None:
        """Return the warning that the rate is not kept; None if it is, or for a short time."""
        seconds = now - self.since
        actual = self.events / seconds if seconds >= at_least else inf
        if self.asked is None or actual >= KEPT_SHARE * self.asked:
            return None
        return (
            f"The stream accepted {actual:,.1f} events per second over {seconds:.0f} s; "
            f"the rate asked for is {self.asked:,g}."
        )
