"""What can be done, as far as it is configured: what is None is not on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.controls.asking import ControlError, ask
from dashboard.controls.events import Sending
from dashboard.controls.redrive import Redrive

if TYPE_CHECKING:
    from mypy_boto3_pipes import EventBridgePipesClient


@dataclass(frozen=True, slots=True)
class ProducerControl:
    """The endpoint of services/producer (`--control`)."""

    url: str

    def status(self) -> dict[str, Any]:
        """Its `rate` (None: its natural pace) and whether it is `paused`."""
        status: dict[str, Any] = ask("GET", self.url)
        return status

    def set_rate(self, rate: float) -> None:
        ask("PUT", self.url, {"rate": rate})

    def pause(self, paused: bool) -> None:
        ask("PUT", self.url, {"paused": paused})


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
        """Raises ControlError where it does not."""
        if self.crash_url is None:
            raise ControlError("the Pipes service is not set up to be killed: PIPES_CRASH_URL")
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
