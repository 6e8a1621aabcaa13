"""Check that the emulator in this container runs and that its start hooks have succeeded.

It waits until the hooks have ended, so Docker learns the result at once. It prints the reason and
exits with 0 or 1. LocalStack reports its hooks at `/_localstack/init`
(https://docs.localstack.cloud/aws/capabilities/config/initialization-hooks/; the answer is made in
localstack/services/internal.py of localstack-core 4.14.0), MiniStack at `/_ministack/ready`.

Docker runs this with the image's `python`. In LocalStack's Dockerfile that is the base's,
python:3.13-slim, which has the standard library alone.

    python healthcheck.py [URL]
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

URL = "http://127.0.0.1:4566"
PAUSE_SECONDS = 0.2
SILENCE_SECONDS = 60.0
"""How long an emulator may fail to answer, for example while it starts."""

# Docker may set a proxy in every container, but a proxy cannot reach this 127.0.0.1.
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

Health = tuple[bool, str]
"""Whether the emulator is healthy, and the reason."""


def health_of_localstack(answer: Mapping[str, Any]) -> Health | None:
    # LocalStack goes on when a hook fails, also that of start.d, which refuses web pages.
    scripts = answer["scripts"]
    if failed := [script["name"] for script in scripts if script["state"] == "ERROR"]:
        return False, f"start hooks failed: {', '.join(failed)}; the container's log says why"
    return (True, "all start hooks succeeded") if answer["completed"]["READY"] else None


def health_of_ministack(answer: Mapping[str, Any]) -> Health | None:
    if answer["failed"]:
        return False, f"{answer['failed']} start hooks failed; the container's log says why"
    return (True, "all start hooks succeeded") if answer["status"] == "completed" else None


SOURCES = {"/_localstack/init": health_of_localstack, "/_ministack/ready": health_of_ministack}


def ask(url: str) -> Health | None:
    """Return None while the hooks run. Raises OSError or HTTPException if nothing answers."""
    for path, health_of in SOURCES.items():
        try:
            with _OPEN(url + path, timeout=5) as response:
                return health_of(json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:  # MiniStack while its hooks run
                    return None
                if error.code != 404:
                    raise
        except (ValueError, LookupError):  # the answer of another server
            continue
    return False, f"{url} is neither LocalStack nor MiniStack"


def wait(url: str, clock: Callable[[], float], pause: Callable[[float], object]) -> Health:
    silent_since = clock()
    while True:
        try:
            if health := ask(url):
                return health
            silent_since = clock()
        except (OSError, HTTPException) as error:
            if clock() - silent_since > SILENCE_SECONDS:
                return False, f"{url} does not answer: {error}"
        pause(PAUSE_SECONDS)


def main(arguments: list[str]) -> int:
    healthy, reason = wait(arguments[0] if arguments else URL, time.monotonic, time.sleep)
    print(reason)
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
