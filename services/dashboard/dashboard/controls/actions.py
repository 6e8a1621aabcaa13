"""What can be done, as far as it is configured: what is None is not on the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.controls.asking import ControlError, ask
from dashboard.controls.events import Sending
from operations.redrive.service import Redrive

if TYPE_CHECKING:
    from mypy_boto3_pipes import EventBridgePipesClient


SLOWEST, FASTEST = 0.1, 1_000
"""Events per second that may be set here."""


def rate_of(text: str) -> float:
    """The rate that a user typed. Raises ValueError, which says what to type."""
    try:
        rate = float(text.strip().replace(",", ""))
    except ValueError:
        rate = math.nan
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"Enter a number from {SLOWEST} to {FASTEST:,}")
    return rate


@dataclass(frozen=True, slots=True)
class ProducerControl:
    """The endpoint of services/producer (`--control`)."""

    url: str

    def status(self) -> dict[str, Any]:
        """Its `rate` (None: its natural pace) and whether it is `paused`."""
        status: dict[str, Any] = ask("GET", self.url)
        return status

    def set(self, **pace: float | bool) -> dict[str, Any]:
        """Set its `rate`, or whether it is `paused`; the answer is that of `status`."""
        status: dict[str, Any] = ask("PUT", self.url, pace)
        return status


@dataclass(frozen=True, slots=True)
class PipeControl:
    """StopPipe and StartPipe; `crash_url` is where the Pipes service lets itself be killed."""

    client: EventBridgePipesClient
    pipe: str
    crash_url: str | None

    def stop(self) -> None:
        self.client.stop_pipe(Name=self.pipe)

    def start(self) -> None:
        self.client.start_pipe(Name=self.pipe)

    def kill(self) -> None:
        """Kill the process of the Pipes service, which its supervisor starts again.

        Raises ControlError.
        """
        if self.crash_url is None:
            raise ControlError("killing the worker is off: PIPES_CRASH_URL is not set")
        ask("POST", self.crash_url)


@dataclass(frozen=True, slots=True)
class Actions:
    """`redrive` also looks into the queues, which changes nothing; `may_redrive` puts back."""

    redrive: Redrive
    may_redrive: bool = False
    sending: Sending | None = None
    producer: ProducerControl | None = None
    pipe: PipeControl | None = None

    @property
    def any(self) -> bool:
        return any((self.sending, self.producer, self.pipe))
