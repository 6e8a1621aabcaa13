"""Pipes of several accounts and Regions, all of one name, on one service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from eventbridge_pipes.arn import Scope
from pipes_service import in_state
from waiting import eventually

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
ACCOUNTS = ("111111111111", "222222222222")
SCOPES = [Scope(account, region) for account in ACCOUNTS for region in REGIONS]


@dataclass
class QueuePipe:
    """A pipe between two queues, all of which the caller with this account and Region makes."""

    scope: Scope
    emulator: str
    service: str

    def __post_init__(self) -> None:
        session = boto3.Session(
            aws_access_key_id=self.scope.account,
            aws_secret_access_key="any",
            region_name=self.scope.region,
        )
        self.sqs: Any = session.client("sqs", endpoint_url=self.emulator)
        # A path in the endpoint, as a gateway may have one, and a slash at its end.
        self.pipes: Any = session.client("pipes", endpoint_url=f"{self.service}/gateway/")
        end = uuid.uuid4().hex[:8]
        self.source, self.target = (
            self.sqs.create_queue(QueueName=f"{name}-{end}")["QueueUrl"] for name in ("in", "out")
        )

    def arn(self, queue: str) -> str:
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def create(self, name: str) -> str:
        """Return the ARN of the pipe."""
        created = self.pipes.create_pipe(
            Name=name,
            Source=self.arn(self.source),
            Target=self.arn(self.target),
            RoleArn=f"arn:aws:iam::{self.scope.account}:role/pipe",
        )
        return str(created["Arn"])

    def delivered(self) -> list[str]:
        found = self.sqs.receive_message(QueueUrl=self.target, MaxNumberOfMessages=10)
        return [message["Body"] for message in found.get("Messages", [])]


@contextmanager
def queue_pipes(emulator: str, service: str, name: str) -> Iterator[list[QueuePipe]]:
    """A running pipe of this name in each of SCOPES; they are deleted at the end."""
    made = [QueuePipe(scope, emulator, service) for scope in SCOPES]
    with ExitStack() as stack:
        for each in made:
            arn = each.create(name)
            stack.callback(each.pipes.delete_pipe, Name=name)
            assert arn == each.scope.pipe_arn(name)
        for each in made:
            in_state(each.pipes, name, "RUNNING")
        yield made


def assert_each_scope_has_its_own(emulator: str, service: str) -> None:
    name = f"orders-{uuid.uuid4().hex[:8]}"
    with queue_pipes(emulator, service, name) as made:
        for each in made:
            listed = each.pipes.list_pipes(NamePrefix=name)["Pipes"]
            assert [pipe["Arn"] for pipe in listed] == [each.scope.pipe_arn(name)]
            each.sqs.send_message(QueueUrl=each.source, MessageBody=":".join(each.scope))
        for each in made:
            (body,) = eventually(each.delivered)
            assert f'"body":"{":".join(each.scope)}"' in body.replace('": "', '":"')
            assert f'"awsRegion":"{each.scope.region}"' in body.replace('": "', '":"')
        one, *others = made
        one.pipes.stop_pipe(Name=name)
        in_state(one.pipes, name, "STOPPED")
        for other in others:
            assert other.pipes.describe_pipe(Name=name)["CurrentState"] == "RUNNING"
