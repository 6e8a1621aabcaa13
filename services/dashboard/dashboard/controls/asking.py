"""Small requests to the control endpoints of the producer and of the Pipes service."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

SECONDS = 3.0


class ControlError(Exception):
    """What was asked for was not done; the message says why."""


def ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON of the answer. Raises ControlError."""
    request = urllib.request.Request(  # noqa: S310 - http or https: Settings has looked
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        said = error.read(500).decode(errors="replace").strip()
        raise ControlError(f"{url}: {error.code} {said}") from error
    except (OSError, ValueError) as error:
        raise ControlError(f"{url}: {error}") from error
