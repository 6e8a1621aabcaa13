"""The actions that are configured. The page has no control for the others, which are None."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError

from dashboard.controls.events import Sending
from operations.redrive.service import Redrive

if TYPE_CHECKING:
    from mypy_boto3_pipes import EventBridgePipesClient

SLOWEST, FASTEST = 0.1, 1_000
"""Events per second that may be set here."""

ANSWER_SECONDS = 3.0


class ControlError(Exception):
    """The action was not done; the message says why."""


class RefusedConnectionError(ControlError):
    """Nothing listens at the address."""


def request(method: str, url: str, body: object = None) -> bytes:
    """Return the body of the answer. Raises ControlError."""
    try:
        answer = urllib3.request(method, url, json=body, timeout=ANSWER_SECONDS, retries=False)
    except HTTPError as error:
        refused = isinstance(error, NewConnectionError)
        kind = RefusedConnectionError if refused else ControlError
        raise kind(f"no answer at {urlsplit(url).netloc}") from error
    if answer.status >= 400:
        text = answer.data[:500].decode(errors="replace").strip()
        raise ControlError(f"{url}: {answer.status} {text}")
    return answer.data


def rate_of(text: str) -> float:
    """Return the rate that a user typed. Raises ValueError, which says what to type."""
    try:
        rate = float(text.strip().replace(",", ""))
    except ValueError:
        rate = math.nan
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"Enter a number from {SLOWEST} to {FASTEST:,}")
    return rate


@dataclass(frozen=True, slots=True)
class ProducerControl:
    """The control endpoint of the producer. A status has its `rate` and whether it is `paused`."""

    url: str

    def status(self) -> dict[str, Any] | None:
        """Return None if the producer does not run. Raises ControlError."""
        try:
            return self._request("GET")
        except RefusedConnectionError:
            return None

    def set(self, **pace: float | bool) -> dict[str, Any]:
        """Set its `rate`, or whether it is `paused`, and return its status. Raises ControlError."""
        return self._request("PUT", pace)

    def _request(self, method: str, body: object = None) -> dict[str, Any]:
        answer = request(method, self.url, body)
        try:
            status: dict[str, Any] = json.loads(answer)
        except ValueError as error:
            netloc = urlsplit(self.url).netloc
            raise ControlError(f"the answer of {netloc} is not JSON") from error
        return status


@dataclass(frozen=True, slots=True)
class PipeControl:
    """`crash_url` is the address of the Pipes service that kills its worker."""

    client: EventBridgePipesClient
    pipe: str
    crash_url: str | None

    def stop(self) -> None:
        self.client.stop_pipe(Name=self.pipe)

    def start(self) -> None:
        self.client.start_pipe(Name=self.pipe)

    def kill(self) -> None:
        """Kill the worker, which its supervisor restarts. Raises ControlError."""
        request("POST", str(self.crash_url))


@dataclass(frozen=True, slots=True)
class Actions:
    """`redrive` also looks at failed events, which is always possible."""

    redrive: Redrive
    may_redrive: bool = False
    sending: Sending | None = None
    producer: ProducerControl | None = None
    pipe: PipeControl | None = None

    @property
    def any(self) -> bool:
        return any((self.sending, self.producer, self.pipe))
