"""The servers that are measured: MiniStack, and the Pipes service beside it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import psutil

from bench.pipes.calls import Calls
from embedded import pipes
from embedded.environment import isolated, variables
from embedded.ministack import REGION
from embedded.ports import free_port
from embedded.stack import EmbeddedStack

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bench"


@dataclass(frozen=True)
class Stand:
    """`pipes` and `emulator` are the processes."""

    folder: Path
    pipes: psutil.Process
    emulator: psutil.Process
    session: boto3.Session
    emulator_url: str
    pipes_url: str

    def client(self, service: Any) -> Any:
        url = self.pipes_url if service == "pipes" else self.emulator_url
        return self.session.client(service, endpoint_url=url)

    def calls(self) -> Calls:
        return Calls(self.emulator_url)


@contextmanager
def stand() -> Iterator[Stand]:
    """Fresh servers for each measurement: what an emulator holds makes it slower."""
    with tempfile.TemporaryDirectory(prefix="bench-pipes-") as name:
        folder = Path(name)
        with EmbeddedStack(folder / "stack", os.environ, time.sleep, print) as stack:
            yield Stand(
                folder,
                psutil.Process(stack.pipes.pid),
                psutil.Process(stack.emulator.pid),
                boto3.Session("test", "test", region_name=REGION),
                stack.variables["AWS_ENDPOINT_URL"],
                stack.variables["AWS_ENDPOINT_URL_PIPES"],
            )


@contextmanager
def second_service(stand: Stand) -> Iterator[Stand]:
    """Another Pipes service beside the same MiniStack."""
    with service(stand.folder / "second", stand.emulator_url) as (process, url):
        yield replace(stand, pipes=process, pipes_url=url)


@contextmanager
def service(folder: Path, emulator_url: str) -> Iterator[tuple[psutil.Process, str]]:
    """A Pipes service with its state in `folder`: its process and its URL."""
    port = free_port()
    environment = isolated(os.environ, variables(emulator_url, pipes.url(port)))
    server = pipes.start(port, folder, environment)
    try:
        server.wait_until(lambda: pipes.ready(port), timeout=30)
        yield psutil.Process(server.pid), pipes.url(port)
    finally:
        server.stop()


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
