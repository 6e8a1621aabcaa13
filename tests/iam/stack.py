"""A whole stack in an account of moto's, whose parts run in this process, each under its role."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from iam.deployment import ACCOUNT, Statement, an_account
from iam.enforcement import Answer, Enforcement
from provisioner import Clients, Names, Options
from provisioner.convergence import converge
from provisioner.description import description
from provisioner.kinds import all_kinds
from provisioner.kinds.functions import code_sha256
from provisioner.patience import Patience
from provisioner.resources import Function, Resource, Role

NAMES = Names()
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
DESCRIBED = {
    each.label: each for each in description(NAMES, Options(), ACCOUNT, code_sha256(EMPTY_ZIP))
}


@dataclass
class Stack:
    """`clients` are those of somebody who may do all."""

    clients: Clients

    def messages(self, queue: str) -> list[str]:
        url = self.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        answer = self.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", ())]


@contextmanager
def a_stack(*kinds: type[Resource]) -> Iterator[Stack]:
    """Of resources of these kinds; with mappings, moto would look for Docker to deliver."""
    with an_account():
        clients = Clients.from_session(boto3.Session())
        made = all_kinds(clients, EMPTY_ZIP)
        for resource in DESCRIBED.values():
            if isinstance(resource, kinds):
                converge(made[type(resource)], resource, Patience(10))
        yield Stack(clients)


def of_role(name: str) -> list[Statement]:
    role = DESCRIBED[f"role {name}"]
    assert isinstance(role, Role)
    assert role.policy
    return list(role.policy.statements)


@contextmanager
def under(
    statements: list[Statement], answer: Answer = lambda operation, given: None
) -> Iterator[Enforcement]:
    somebody = Enforcement(ACCOUNT, statements, answer)
    with somebody.enforced():
        yield somebody


@contextmanager
def environment_of(function: str) -> Iterator[None]:
    described = DESCRIBED[f"function {function}"]
    assert isinstance(described, Function)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in described.environment.items():
            patch.setenv(name, value)
        yield


class Invocation:
    aws_request_id = "one"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def from_the_pipe(number: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """A record as a pipe hands it over."""
    return {
        "eventID": f"shardId-000000000000:{number}",
        "sequenceNumber": str(number),
        "data": base64.b64encode(json.dumps(event).encode()).decode(),
        "partitionKey": event["product"]["product_id"],
        "approximateArrivalTimestamp": time.time(),
    }
