"""The stack that the end-to-end tests work on: clients, names, and what can be done to it.

What a test asserts knows nothing of the servers behind it; a backend is what starts them.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import boto3

from deploy.deployment import Deployment
from deploy.settings import Settings, template
from embedded.stack import EmbeddedStack
from inventory.stock import RemovalNamePolicy, Row
from inventory.stream import StreamRecord
from inventory_aws.clients import Clients
from inventory_aws.names import Names
from operations import table
from operations.expectation import Expectation, expect
from operations.failures.stream import read_all
from operations.function_log import FunctionLog, furthest
from operations.rejected import RejectedQueue
from waiting import eventually

RESOURCES = len(template()["Resources"])
"""How many there are to a pipeline."""


def client_at(service: str, variables: Mapping[str, str]) -> Any:
    """The client of a service at the servers that `variables` lead to."""
    pipes = "_PIPES" if service == "pipes" else ""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=variables[f"AWS_ENDPOINT_URL{pipes}"],
        region_name=variables["AWS_DEFAULT_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


class Backend(Protocol):
    """The servers."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment that leads AWS clients to them."""

    def logs(self) -> Mapping[str, str]:
        """What each server wrote, by its name."""


class EmbeddedBackend:
    """Processes of this machine."""

    def __init__(self, servers: EmbeddedStack) -> None:
        self._servers = servers

    @property
    def variables(self) -> Mapping[str, str]:
        return self._servers.variables

    def kill_pipes(self) -> None:
        """End the Pipes service at once, as a crash would."""
        self._servers.pipes.kill()

    def start_pipes(self) -> None:
        """Start it again, on what it has kept."""
        self._servers.start_pipes()

    def logs(self) -> Mapping[str, str]:
        return {s.name: s.log.read_text(errors="replace") for s in self._servers.servers}


SHOWN_LINES = 20
"""Of each log, where a test fails."""


@dataclass
class Stack:
    """A deployed pipeline; `log` is its function's, since the test began."""

    backend: Backend
    session: boto3.Session
    clients: Clients
    deployment: Deployment
    log: FunctionLog

    @property
    def names(self) -> Names:
        return self.deployment.settings.names

    def client(self, service: str) -> Any:
        return client_at(service, self.backend.variables)

    def of(self, stage: str) -> Deployment:
        """Another stage on the same servers."""
        settings = Settings.from_env({"STAGE": stage})
        return replace(self.deployment, settings=settings)

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

    def stream(self) -> list[StreamRecord]:
        """All that is on the stream."""
        return read_all(self.clients.kinesis, self.names.stream)

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
        pipes = self.client("pipes")
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
        self.await_pipe("RUNNING")

    def await_pipe(self, state: str) -> None:
        pipes = self.client("pipes")
        eventually(lambda: pipes.describe_pipe(Name=self.names.pipe)["CurrentState"] == state)

    def start_log(self) -> None:
        """Read what the function logs from now on."""
        self.log = FunctionLog(self.clients.logs, self.names.function, since=time.time())

    def clear(self) -> None:
        """Forget all events and what came of them. The function stays, and with it its process."""
        pipes, kinesis = self.client("pipes"), self.clients.kinesis
        if self.names.pipe in _names_of(pipes.list_pipes()):
            pipes.delete_pipe(Name=self.names.pipe)
            eventually(lambda: self.names.pipe not in _names_of(pipes.list_pipes()))
        kinesis.delete_stream(StreamName=self.names.stream)
        for name in (self.names.table, self.names.removals_table):
            self._delete_items(name)
        for name in (self.names.rejected_queue, self.names.dead_letter_queue):
            url = self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
            self.clients.sqs.purge_queue(QueueUrl=url)
        eventually(lambda: self.names.stream not in kinesis.list_streams()["StreamNames"])
        shards = int(self.deployment.settings.parameters["StreamShards"])
        kinesis.create_stream(StreamName=self.names.stream, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(
            StreamName=self.names.stream, WaiterConfig={"Delay": 1}
        )
        self.deployment.apply_pipes(lambda done: None)

    def _delete_items(self, name: str) -> None:
        dynamodb = self.clients.dynamodb
        keys = [
            k["AttributeName"]
            for k in dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
        ]
        for page in dynamodb.get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                dynamodb.delete_item(TableName=name, Key={key: item[key] for key in keys})

    def evidence(self) -> list[tuple[str, str]]:
        """What a failed test shows: headings and texts."""
        shown = [("Table, held against its events", _attempt(self._differences))]
        logs = [*self.backend.logs().items(), ("the function", _attempt(self._function_log))]
        for name, text in logs:
            shown.append((f"Last lines of {name}", "\n".join(text.splitlines()[-SHOWN_LINES:])))
        return shown

    def _differences(self) -> str:
        records = self.stream()
        expected = expected_of(records)
        found = list(table.changes(expected.rows, self.rows()))
        return (
            "\n".join(found) or f"no difference: {len(expected.rows)} rows of {len(records)} events"
        )

    def _function_log(self) -> str:
        group = f"/aws/lambda/{self.names.function}"
        found = self.client("logs").filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"].rstrip() for event in found)

    def invoke(self, records: list[dict[str, Any]]) -> Any:
        """Call the function as the pipe does."""
        client = self.session.client("lambda")
        payload = json.dumps(records).encode()
        answer = client.invoke(FunctionName=self.names.function, Payload=payload)
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body


def expected_of(records: Iterable[StreamRecord]) -> Expectation:
    """What these records make of an empty table."""
    found = [(r.sequence_number, r.partition_key, r.data) for r in records]
    return expect({}, found, RemovalNamePolicy.IGNORE)


def _names_of(listed: Any) -> set[str]:
    return {pipe["Name"] for pipe in listed["Pipes"]}


def _attempt(show: Callable[[], str]) -> str:
    """What is shown of a failure must not fail itself."""
    try:
        return show()
    except Exception as error:
        return repr(error)


def own_stage() -> str:
    """A stage that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"
