"""Check all settings, and give them and the functions' zip to the emulator's start hook, or deploy
them to an emulator that runs: the service `deployer` of docker-compose.yml.

    python -m deployer ZIP FOLDER

The start hook waits for the zip in FOLDER. If the emulator runs already, this program deploys
itself. So `docker compose up` and `docker compose watch` deploy changed code and settings, and the
emulator keeps its data. The file /tmp/deployed says that it is done. Then the container sleeps.
"""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from dashboard.settings import DashboardSettingsError
from dashboard.settings import Settings as DashboardSettings
from deploy import healthcheck
from deploy.__main__ import main as deploy
from deploy.settings import Settings, of_resources
from eventbridge_pipes import guard
from inventory_aws.errors import SettingsError
from producer.cli import produce
from producer.usage import RefusedError

DEPLOYED = Path("/tmp/deployed")  # noqa: S108 - the container's own


def is_running(url: str) -> bool:
    """Whether the emulator's start hooks have ended."""
    try:
        return healthcheck.ask(url) is not None
    except (OSError, HTTPException):
        return False


def problems(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable of any service that is wrong."""
    found = []
    for check in (Settings.from_env, _check_producer, DashboardSettings.from_env, _check_origins):
        try:
            check(environ)
        except (SettingsError, RefusedError, DashboardSettingsError) as error:
            found += str(error).splitlines()
    return found


def _check_producer(_: Mapping[str, str]) -> None:
    """Its command line reads the environment of this process."""
    produce.make_context("produce", [])


def _check_origins(environ: Mapping[str, str]) -> None:
    try:
        for origin in filter(None, map(str.strip, environ.get("ALLOW_ORIGIN", "").split(","))):
            guard.origin(origin)
    except ArgumentTypeError as error:
        raise SettingsError(f"ALLOW_ORIGIN: {error}") from None


def hand_over(content: bytes, target: Path) -> bool:
    """Write the file in one step. Return whether its content has changed."""
    before = target.read_bytes() if target.exists() else content
    unfinished = target.with_suffix(".new")
    unfinished.write_bytes(content)
    unfinished.replace(target)
    return before != content


def main(zip_file: Path, folder: Path) -> int:
    if wrong := problems(os.environ):
        print(*wrong, sep="\n", file=sys.stderr)
        return 2
    url = os.environ["AWS_ENDPOINT_URL"]
    running = is_running(url)
    given = of_resources(os.environ)
    handed_over = folder / "function.zip", folder / "settings.json"
    changed = hand_over(json.dumps(given).encode(), handed_over[1])
    # The zip comes last: the start hook waits for it alone.
    changed |= hand_over(zip_file.read_bytes(), handed_over[0])
    healthy, reason = healthcheck.wait(url, time.monotonic, time.sleep)
    if not healthy:
        print(f"localstack: {reason}", file=sys.stderr)
        return 1
    if (changed or running) and (code := deploy(*handed_over)):
        return code
    DEPLOYED.touch()
    os.execvp("sleep", ["sleep", "infinity"])  # noqa: S606, S607 - it needs less memory than Python


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
