"""The servers that are measured: MiniStack, and the Pipes service beside it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psutil

from bench.figures import until
from embedded import pipes
from embedded.environment import isolated, variables
from embedded.ministack import REGION
from embedded.ports import free_port
from embedded.stack import EmbeddedStack

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bench"


class Calls:
    """The emulator's own calls, at the least cost to the caller: no SDK, one open connection,
    requests that are written beforehand. For one thread."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc)

    def invoke(self, function: str, payload: bytes) -> None:
        self._post("lambda", f"/2015-03-31/functions/{function}/invocations", payload, {})

    def sqs(self, operation: str, request: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._json("sqs", f"AmazonSQS.{operation}", request))
        return answer

    def kinesis(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Return the response as it is on the wire: data in base64, times as numbers."""
        answer: dict[str, Any] = json.loads(self.kinesis_unread(operation, **arguments))
        return answer

    def kinesis_unread(self, operation: str, **arguments: Any) -> bytes:
        request = json.dumps(arguments).encode()
        return self._json("kinesis", f"Kinesis_20131202.{operation}", request)

    def _json(self, service: str, target: str, request: bytes) -> bytes:
        version = "1.0" if service == "sqs" else "1.1"
        content_type = f"application/x-amz-json-{version}"
        return self._post(
            service, "/", request, {"Content-Type": content_type, "X-Amz-Target": target}
        )

    def _post(self, service: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        # MiniStack reads the service from the credential, and verifies nothing.
        scope = f"test/20260101/{REGION}/{service}/aws4_request"
        signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        self._connection.request("POST", path, body, headers | {"Authorization": signature})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200 or response.headers.get("X-Amz-Function-Error"):
            raise RuntimeError(f"{path}: {response.status}: {answer[:200]!r}")
        return answer


@dataclass(frozen=True)
class Servers:
    """`pipes` and `emulator` are the processes."""

    folder: Path
    pipes: psutil.Process
    emulator: psutil.Process
    emulator_url: str
    pipes_url: str

    def client(self, service: Any) -> Any:
        url = self.pipes_url if service == "pipes" else self.emulator_url
        return boto3.Session("test", "test", region_name=REGION).client(service, endpoint_url=url)

    def calls(self) -> Calls:
        return Calls(self.emulator_url)

    def create_pipe(
        self,
        name: str,
        source: str,
        target: str,
        batch: int,
        *,
        state: str = "RUNNING",
        retries: int = -1,
        pattern: str | None = None,
        template: str | None = None,
    ) -> None:
        stream = {"BatchSize": batch, "StartingPosition": "TRIM_HORIZON"}
        parameters = {"KinesisStreamParameters": stream | {"MaximumRetryAttempts": retries}}
        filters = {"FilterCriteria": {"Filters": [{"Pattern": pattern}]}} if pattern else {}
        self.client("pipes").create_pipe(
            Name=name,
            Source=source,
            Target=target,
            RoleArn=ROLE,
            DesiredState=state,
            SourceParameters=parameters | filters,
            TargetParameters={"InputTemplate": template} if template else {},
        )

    def wait_for_pipe(self, name: str, state: str | None) -> None:
        """Return once the pipe is in `state`; with None, once it is gone."""
        client = self.client("pipes")

        def current() -> str | None:
            try:
                found: str = client.describe_pipe(Name=name)["CurrentState"]
                return found
            except client.exceptions.NotFoundException:
                return None

        until(lambda: current() == state)


@contextmanager
def fresh_servers() -> Iterator[Servers]:
    """New servers for each measurement: what an emulator holds makes it slower."""
    with tempfile.TemporaryDirectory(prefix="bench-pipes-") as name:
        folder = Path(name)
        with EmbeddedStack(folder / "stack", os.environ, time.sleep, print) as stack:
            yield Servers(
                folder,
                psutil.Process(stack.pipes.pid),
                psutil.Process(stack.emulator.pid),
                stack.variables["AWS_ENDPOINT_URL"],
                stack.variables["AWS_ENDPOINT_URL_PIPES"],
            )


@contextmanager
def second_service(servers: Servers) -> Iterator[Servers]:
    """Another Pipes service beside the same MiniStack."""
    with service(servers.folder / "second", servers.emulator_url) as (process, url):
        yield replace(servers, pipes=process, pipes_url=url)


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
