"""moto's server as a process of its own: whoever uses it need not import moto."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from embedded import ministack
from embedded.ports import free_port
from embedded.processes import Server, answers
from pipes_service import ACCOUNT

PROGRAM = Path(__file__).with_name("moto_server.py")


@dataclass
class Moto:
    """The server as a process on one port, which keeps nothing when it ends."""

    log: Path
    port: int = field(default_factory=free_port)
    _server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        argv = [sys.executable, str(PROGRAM), str(self.port)]
        # The account that MiniStack has for the same keys.
        variables = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}
        self._server = Server.start("moto", argv, variables, self.log)
        self._server.wait_until(lambda: answers(f"{self.url}/moto-api/"), timeout=60)

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.running

    def kill(self) -> None:
        if self._server:
            self._server.kill()

    def aws(self, service: str) -> Any:
        """A boto3 client of it."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name=ministack.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
