"""The EventBridge Pipes service as a process of the embedded target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from inventory_cli.embedded.processes import Server, answers


def start(port: int, state: Path, environ: Mapping[str, str]) -> Server:
    """Start it on 127.0.0.1:`port`; `environ` says where the AWS APIs are."""
    argv = [sys.executable, "-m", "eventbridge_pipes", "--host", "127.0.0.1", "--port", str(port)]
    return Server.start(
        "EventBridge Pipes", [*argv, "--state", str(state)], environ, state / "pipes.log"
    )


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def ready(port: int) -> bool:
    return answers(f"{url(port)}/health")
