"""Whoever deploys: a role with the documented policies, or with less, in an account of moto's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from iam.enforcement import Enforcement
from iam.simulation import simulated
from provisioner import Names, Options
from provisioner.account import Account
from provisioner.permissions import policies, written

Statement = Mapping[str, Any]

ACCOUNT = Account("123456789012", "us-east-1")
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::123456789012:role/inventory-deployer"
SESSION = "arn:aws:sts::123456789012:assumed-role/inventory-deployer/somebody"

_IN_MOTO = threading.RLock()
_process_request = BotocoreStubber.process_request


def statements(*kinds: str, options: Options | None = None) -> list[Statement]:
    """Of the policies as they are exported, of those whose names begin so."""
    granted = policies(Names(), options or Options(), ACCOUNT, ROLE)
    return [
        statement
        for name, grants in granted.items()
        if name.startswith(kinds)
        for statement in json.loads(written(grants))["Statement"]
    ]


def without(statements: Sequence[Statement], *actions: str) -> list[Statement]:
    rest = [{**s, "Action": [a for a in s["Action"] if a not in actions]} for s in statements]
    return [statement for statement in rest if statement["Action"]]


def deployer(statements: Sequence[Statement] | None) -> Enforcement:
    """Somebody who has these policies, or all there is."""

    def answer(operation: str, given: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if operation == "GetCallerIdentity":
            return {"Account": ACCOUNT.id, "Arn": SESSION}
        if operation == "GetRole" and given["RoleName"] == "inventory-deployer":
            return {"Role": {"Arn": ROLE}}
        if operation == "SimulatePrincipalPolicy":
            assert given["PolicySourceArn"] == ROLE
            return simulated(statements or (), given)
        return None

    return Enforcement(ACCOUNT, statements, answer)


@contextmanager
def an_account() -> Iterator[None]:
    """moto's, in this process, reached as AWS is: by credentials and a Region alone."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PIPES"):
            patch.delenv(name, raising=False)
        patch.setenv("TARGET", "aws")
        patch.setenv("AWS_DEFAULT_REGION", ACCOUNT.region)
        patch.setattr(BotocoreStubber, "process_request", _one_at_a_time)
        with mock_aws():
            _call_each_service()
            yield


def _one_at_a_time(stubber: BotocoreStubber, request: Any) -> Any:
    """moto goes through the alarms of an account, say, while another thread adds one."""
    with _IN_MOTO:
        return _process_request(stubber, request)


def _call_each_service() -> None:
    """moto makes the routes of a service at the first call. They are compiled, and in CPython 3.11
    two threads that compile at the same time can end in "recursion depth mismatch"."""
    session = boto3.Session("test", "test", region_name=ACCOUNT.region)
    session.client("cloudwatch").describe_alarms()
    session.client("dynamodb").list_tables()
    session.client("iam").list_roles()
    session.client("kinesis").list_streams()
    session.client("lambda").list_functions()
    session.client("logs").describe_log_groups()
    session.client("pipes").list_pipes()
    session.client("resourcegroupstaggingapi").get_resources()
    session.client("sns").list_topics()
    session.client("sqs").list_queues()
    session.client("sts").get_caller_identity()
