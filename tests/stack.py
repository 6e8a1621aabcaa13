"""The stack that the end-to-end tests work on: clients, names, and what can be done to it.

What a test asserts knows nothing of the servers behind it; a backend is what starts them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import boto3

import provisioner
from inventory.stock import Row
from inventory_cli import table
from inventory_cli.aws import Clients
from inventory_cli.embedded.stack import EmbeddedStack
from inventory_cli.failures.stream import read_all
from inventory_cli.function_log import FunctionLog, furthest
from inventory_cli.rejected import RejectedQueue
from provisioner.account import Account
from provisioner.description import description
from provisioner.names import VARIABLES
from waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


RESOURCES = len(
    description(provisioner.Names(), provisioner.Options(), Account("0" * 12, "us-east-1"), "")
)
"""How many there are to a pipeline."""


class Backend(Protocol):
    """The servers."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment that leads AWS clients to them."""

    def kill_pipes(self) -> None:
        """End the Pipes service at once, as a crash would."""

    def start_pipes(self) -> None:
        """Start it again, on what it has kept."""


class EmbeddedBackend:
    """Processes of this machine."""

    def __init__(self, servers: EmbeddedStack) -> None:
        self._servers = servers

    @property
    def variables(self) -> Mapping[str, str]:
        return self._servers.variables

    def kill_pipes(self) -> None:
        self._servers.pipes.kill()

    def start_pipes(self) -> None:
        self._servers.start_pipes()


@dataclass(frozen=True)
class Stack:
    """A provisioned pipeline of its own on a backend."""

    backend: Backend
    session: boto3.Session
    clients: Clients
    names: provisioner.Names
    log: FunctionLog

    def put(self, payloads: Iterable[tuple[str, bytes]]) -> list[tuple[str, int, bytes]]:
        """Put (partition key, data) pairs in order; their shards, sequence numbers and data."""
        records = list(payloads)
        placed = []
        for start in range(0, len(records), 500):
            part = records[start : start + 500]
            answer = self.clients.kinesis.put_records(
                StreamName=self.names.stream,
                Records=[{"PartitionKey": key, "Data": data} for key, data in part],
            )
            assert answer["FailedRecordCount"] == 0
            for result, (_, data) in zip(answer["Records"], part, strict=True):
                placed.append((result["ShardId"], int(result["SequenceNumber"]), data))
        return placed

    def stream(self) -> list[tuple[str, int, bytes]]:
        """All that is on the stream: shards, sequence numbers and data."""
        return read_stream(self.clients.kinesis, self.names.stream)

    def rows(self) -> dict[str, Row]:
        return table.read(self.clients.dynamodb, self.names.table)

    def rejected(self) -> RejectedQueue:
        return RejectedQueue(self.clients.sqs, self.names.rejected_queue)

    def await_handled(self, placed: Iterable[tuple[str, int, bytes]], timeout: float = 60) -> None:
        """Return once the function has reported on all of these records."""
        last = furthest((shard, number) for shard, number, _ in placed)
        eventually(lambda: self.log.poll().reaches(last), timeout)

    def retry_at_most(self, times: int) -> None:
        """The pipe tries no record more often than that again. Returns once it runs so."""
        pipes = self.session.client("pipes")
        pipe = pipes.describe_pipe(Name=self.names.pipe)
        parameters: Any = pipe["SourceParameters"]["KinesisStreamParameters"]
        del parameters["StartingPosition"]  # it cannot be changed
        pipes.update_pipe(
            Name=self.names.pipe,
            RoleArn=pipe["RoleArn"],
            SourceParameters={
                "KinesisStreamParameters": parameters | {"MaximumRetryAttempts": times}
            },
        )
        eventually(lambda: pipes.describe_pipe(Name=self.names.pipe)["CurrentState"] == "RUNNING")

    def invoke(self, records: list[dict[str, Any]]) -> Any:
        """Call the function as the pipe does."""
        client = self.session.client("lambda")
        payload = json.dumps(records).encode()
        answer = client.invoke(FunctionName=self.names.function, Payload=payload)
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body


def read_stream(kinesis: KinesisClient, name: str) -> list[tuple[str, int, bytes]]:
    """The records of a stream as far as there are any now: shards, sequence numbers and data."""
    records = read_all(kinesis, name)
    return [(record.shard_id, record.sequence_number, record.data) for record in records]


def own_names() -> provisioner.Names:
    """Names that no other test uses."""
    suffix = uuid.uuid4().hex[:10]
    defaults = provisioner.Names()
    return provisioner.Names(
        **{f.name: f"{getattr(defaults, f.name)}-{suffix}" for f in fields(defaults)}
    )


def environment_of(names: provisioner.Names) -> dict[str, str]:
    """The variables that give every program these names."""
    return {variable: getattr(names, field) for field, (variable, _) in VARIABLES.items()}
