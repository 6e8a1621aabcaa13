"""The EventBridge Pipes service as a process of the embedded target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from embedded import saved
from embedded.processes import Server, answers


def start(
    port: int, folder: Path, environ: Mapping[str, str], *, may_crash: bool = False
) -> Server:
    """Start it on 127.0.0.1:`port`. `environ` says where the AWS APIs are.

    With `may_crash`, a POST to /crash kills it.
    """
    state = saved.pipes_folder(folder)
    argv = [sys.executable, "-m", "eventbridge_pipes", "--host", "127.0.0.1", "--port", str(port)]
    options = ["--state", str(state)]
    options += ["--allow-crash"] if may_crash else []
    return Server.start("EventBridge Pipes", [*argv, *options], environ, state / "pipes.log")


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def ready(port: int) -> bool:
    return answers(f"{url(port)}/health")
