"""What the conformance tests of filters, templates, enrichments and targets share."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from prometheus_client.parser import text_string_to_metric_families

from embedded import ministack
from pipes_service import ACCOUNT, ROLE, PipesProcess
from pipes_sources import QueueSource, StreamSource
from servers import AwsClient
from waiting import eventually

FIRST_SHARD = "shardId-000000000000"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{ministack.REGION}:{ACCOUNT}:{resource}"


@dataclass
class Stream(StreamSource):
    """A Kinesis stream of one shard, as a source of JSON and as a sink that pipes may share."""

    def put_json(self, *values: Any, key: str = "k") -> list[str]:
        """Put a record for each value, in order; their sequence numbers."""
        answers = self.put_data([(json.dumps(value).encode(), key) for value in values])
        return [answer["SequenceNumber"] for answer in answers]

    def signed(self, key: str) -> dict[str, Any]:
        """The members of CreatePipe that make this the target; the partition key tells whose."""
        return {
            "Target": self.arn,
            "TargetParameters": {"KinesisStreamParameters": {"PartitionKey": key}},
        }

    def records(self) -> list[dict[str, Any]]:
        """What GetRecords gives of it."""
        kinesis = self.aws("kinesis")
        iterator = kinesis.get_shard_iterator(
            StreamName=self.name, ShardId=FIRST_SHARD, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: list[dict[str, Any]] = kinesis.get_records(ShardIterator=iterator)["Records"]
        return found

    def texts(self, key: str) -> list[str]:
        """What was put with one partition key, in order."""
        found = self.records()
        return [record["Data"].decode() for record in found if record["PartitionKey"] == key]

    def jsons(self, key: str) -> list[Any]:
        return [json.loads(text) for text in self.texts(key)]


@dataclass
class Queue(QueueSource):
    """An SQS queue, as a source and as a sink."""

    def send(self, body: str) -> str:
        """The message's id."""
        sent = self.aws("sqs").send_message(QueueUrl=self.url, MessageBody=body)
        message_id: str = sent["MessageId"]
        return message_id

    def take(self) -> list[dict[str, Any]]:
        """The messages that are there now, ten at most; they are taken out."""
        sqs = self.aws("sqs")
        found = sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = found.get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def received(self, count: int) -> list[dict[str, Any]]:
        """The first `count` messages or some more, in the order in which they came."""
        messages: list[dict[str, Any]] = []

        def enough() -> list[dict[str, Any]]:
            messages.extend(self.take())
            assert len(messages) >= count, messages
            return messages

        return eventually(enough)

    def bodies(self, count: int) -> list[str]:
        return [message["Body"] for message in self.received(count)]


def make_machine(aws: AwsClient, name: str, kind: str = "EXPRESS", **state: Any) -> str:
    """The ARN of a state machine of one state."""
    definition = {"StartAt": "Only", "States": {"Only": state}}
    made = aws("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE, type=kind
    )
    machine: str = made["stateMachineArn"]
    return machine


@contextmanager
def pipes_of(process: PipesProcess, definitions: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """The pipes, created, and deleted at the end: what is idle is polled all the same.

    Each definition has a Name, Source and Target, and whatever else; a stream is read from its
    start when nothing else is said.
    """
    client = process.client()
    try:
        for definition in definitions:
            client.create_pipe(**whole(definition))
        yield
    finally:
        for definition in definitions:
            with suppress(ClientError):
                client.delete_pipe(Name=definition["Name"])


def whole(definition: Mapping[str, Any]) -> dict[str, Any]:
    given = {"RoleArn": ROLE, **definition}
    if ":kinesis:" in given["Source"]:
        parameters = given.get("SourceParameters", {})
        stream = parameters.get("KinesisStreamParameters", {})
        given["SourceParameters"] = {
            **parameters,
            "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", **stream},
        }
    return given


def counters(process: PipesProcess) -> dict[str, dict[str, float]]:
    """What /metrics counts, by pipe: read, filtered, delivered, failed, dead_lettered, dropped."""
    with urllib.request.urlopen(f"{process.url}/metrics") as answer:  # noqa: S310
        text = answer.read().decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        name = family.name.removeprefix("eventbridge_pipes_records_")
        for sample in family.samples:
            if name != family.name and sample.name.endswith("_total"):
                found.setdefault(sample.labels["pipe"], {})[name] = sample.value
    return found


def handled(process: PipesProcess, counts: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """The counters, once each pipe has done with so many records or more: to wait for records
    that do not arrive anywhere.
    """

    def all_of_them() -> dict[str, dict[str, float]]:
        found = counters(process)
        late = {
            pipe: found.get(pipe)
            for pipe, count in counts.items()
            if done_with(found.get(pipe, {})) < count
        }
        assert not late, late
        return found

    return eventually(all_of_them, timeout=40)


def done_with(of_pipe: Mapping[str, float]) -> float:
    """How many records were left out, delivered or given up on."""
    ends = ("filtered", "delivered", "dead_lettered", "dropped")
    return sum(of_pipe.get(end, 0) for end in ends)


def refused(
    process: PipesProcess, definition: Mapping[str, Any], operation: str = "create_pipe"
) -> list[tuple[str, str]]:
    """The fields that are told of when the definition is refused, and what is said of each."""
    with pytest.raises(ClientError) as error:
        getattr(process.client(), operation)(**definition)
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "ValidationException"
    return [(field["name"], field["message"]) for field in answer["fieldList"]]
