"""Small requests to the endpoints of the producer and of the Pipes service."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

SECONDS = 3.0


class ControlError(Exception):
    """What was asked for was not done; the message says why."""


class RefusedConnectionError(ControlError):
    """Nothing listens on the port."""


def ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON of the answer. Raises ControlError."""
    answer = fetch(method, url, body)
    try:
        return json.loads(answer or b"null")
    except ValueError as error:
        raise ControlError(f"the answer of {urlsplit(url).netloc} is not JSON") from error


def fetch(method: str, url: str, body: dict[str, Any] | None = None) -> bytes:
    """Return the body of the answer. Raises ControlError."""
    request = urllib.request.Request(  # noqa: S310 - http or https: Settings has looked
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            answer: bytes = response.read()
            return answer
    except urllib.error.HTTPError as error:
        said = error.read(500).decode(errors="replace").strip()
        raise ControlError(f"{url}: {error.code} {said}") from error
    except (OSError, HTTPException) as error:
        refused = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
        kind = RefusedConnectionError if refused else ControlError
        raise kind(f"no answer at {urlsplit(url).netloc}") from error
