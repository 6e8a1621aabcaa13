"""The Pipes service as a process beside the emulator, and a pipeline for it to run."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import textwrap
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
from botocore.config import Config

from embedded import ministack
from embedded.ports import free_port
from embedded.processes import Server, answers
from servers import AwsClient
from waiting import eventually

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipe"


@dataclass
class PipesProcess:
    """The service on one port and one state directory, to be killed and started again."""

    emulator: str
    state: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    module: str = "eventbridge_pipes"
    _server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.state.with_suffix(".log")

    def start(self, *arguments: str) -> None:
        self._server = self.launch("--port", str(self.port), *arguments)
        self._server.wait_until(lambda: answers(f"{self.url}/health"), timeout=60)

    def launch(self, *arguments: str) -> Server:
        """The process, not waited for."""
        return Server.start(
            "the Pipes service", self._command(*arguments), self._environment(), self.log
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit code of a process that ends by itself, and what it said."""
        ended = subprocess.run(
            self._command(*arguments),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=30,
        )
        return ended.returncode, ended.stdout + ended.stderr

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self.module, "--state", str(self.state), *arguments]

    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return {
            **inherited,
            "HTTP_PROXY": "http://127.0.0.1:9",  # nothing on this machine is asked of a proxy
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": self.emulator,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.environment,
        }

    @property
    def server(self) -> Server:
        assert self._server
        return self._server

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.running

    def stop(self) -> None:
        if self._server:
            self._server.stop()

    def kill(self) -> None:
        self.server.kill()

    def client(self) -> Any:
        return boto3.client(
            "pipes",
            endpoint_url=self.url,
            region_name=ministack.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )


@contextmanager
def pipes_process(
    emulator: str,
    state: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    options: Sequence[str] = (),
) -> Iterator[PipesProcess]:
    process = PipesProcess(emulator, state, environment=dict(environment))
    try:
        process.start(*options)
        yield process
    finally:
        process.stop()


FUNCTION = textwrap.dedent(
    """
    import base64, json, os, time
    import boto3

    kinesis = boto3.client("kinesis")
    seen = set()

    def handler(event, context):
        print("records:", len(event))
        words = [base64.b64decode(record["data"]).decode() for record in event]
        kinesis.put_record(
            StreamName=os.environ["SINK"], PartitionKey="all", Data=json.dumps(event).encode()
        )
        if any(word.startswith("poison") for word in words):
            raise ValueError("poisoned")
        if any(word.startswith("slow") for word in words):
            time.sleep(1)
        failed = []
        for record, word in zip(event, words):
            if word.startswith("refused") or (word.startswith("flaky") and word not in seen):
                seen.add(word)
                failed.append({"itemIdentifier": record["eventID"]})
        return {"batchItemFailures": failed}
    """
)
"""Writes down each invocation in the sink; what the data starts with decides how it ends:
`poison` fails the invocation, `refused` the record always, `flaky` the record the first time;
`slow` takes a second."""


def function_zip(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", source)
    return packed.getvalue()


def make_function(aws: AwsClient, name: str, source: str, **environment: str) -> str:
    """The ARN of a new function."""
    made = aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handler",
        Timeout=60,
        Code={"ZipFile": function_zip(source)},
        Environment={"Variables": environment},
    )
    arn: str = made["FunctionArn"]
    return arn


@dataclass
class Pipeline:
    """A stream, a function that writes down what it gets, and a dead-letter queue, in MiniStack."""

    aws: AwsClient
    name: str
    shards: int = 1

    def __post_init__(self) -> None:
        self.kinesis = self.aws("kinesis")
        self.kinesis.create_stream(StreamName=self.name, ShardCount=self.shards)
        self.kinesis.create_stream(StreamName=f"{self.name}-sink", ShardCount=1)
        make_function(self.aws, self.name, FUNCTION, SINK=f"{self.name}-sink")
        self.queue = self.aws("sqs").create_queue(QueueName=self.name)["QueueUrl"]

    @property
    def stream_arn(self) -> str:
        return f"arn:aws:kinesis:{ministack.REGION}:{ACCOUNT}:stream/{self.name}"

    @property
    def function_arn(self) -> str:
        return f"arn:aws:lambda:{ministack.REGION}:{ACCOUNT}:function:{self.name}"

    @property
    def queue_arn(self) -> str:
        return f"arn:aws:sqs:{ministack.REGION}:{ACCOUNT}:{self.name}"

    def definition(self, **stream: Any) -> dict[str, Any]:
        """The arguments of create_pipe; `stream` are members of KinesisStreamParameters."""
        return {
            "Name": self.name,
            "Source": self.stream_arn,
            "Target": self.function_arn,
            "RoleArn": ROLE,
            "SourceParameters": {
                "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", **stream}
            },
        }

    def replace_function(self, source: str) -> None:
        self.aws("lambda").update_function_code(
            FunctionName=self.name, ZipFile=function_zip(source)
        )

    def put(self, *words: str, key: str | None = None) -> list[str]:
        """Put one record for each word, in order; the sequence numbers."""
        numbers = []
        for start in range(0, len(words), 500):
            answer = self.kinesis.put_records(
                StreamName=self.name,
                Records=[
                    {"Data": word.encode(), "PartitionKey": key or word}
                    for word in words[start : start + 500]
                ],
            )
            assert answer["FailedRecordCount"] == 0
            numbers += [record["SequenceNumber"] for record in answer["Records"]]
        return numbers

    def invocations(self) -> list[Any]:
        """The events that the function was invoked with so far, in order."""
        iterator = self.kinesis.get_shard_iterator(
            StreamName=f"{self.name}-sink",
            ShardId="shardId-000000000000",
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        found: list[Any] = []
        while True:
            page = self.kinesis.get_records(ShardIterator=iterator)
            if not page["Records"]:
                return found
            found += [json.loads(record["Data"]) for record in page["Records"]]
            iterator = page["NextShardIterator"]

    def delivered(self) -> list[str]:
        """The words in the order in which the function got them, repetitions included."""
        return [word for event in self.invocations() for word in words(event)]

    def dead_letters(self) -> list[dict[str, Any]]:
        """The messages in the dead-letter queue now; they are taken out of it."""
        sqs = self.aws("sqs")
        found = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        for message in found.get("Messages", []):
            sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def words(event: list[dict[str, Any]]) -> list[str]:
    return [base64.b64decode(record["data"]).decode() for record in event]


def unique(test_name: str) -> str:
    """A name for resources of one test."""
    return f"{re.sub(r'[^a-z0-9]+', '-', test_name.lower())[5:40]}-{uuid.uuid4().hex[:8]}"


def in_state(client: Any, name: str, state: str, timeout: float = 20.0) -> dict[str, Any]:
    """The pipe's description, once it is in `state`."""

    def described() -> dict[str, Any]:
        description: dict[str, Any] = client.describe_pipe(Name=name)
        assert description["CurrentState"] == state, description
        return description

    return eventually(described, timeout)
