"""An account of moto's, and the policies of people, as docs/policies/people.yaml has them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

import template
from pages import ROOT

Statement = Mapping[str, Any]

PEOPLE = ROOT / "docs" / "policies" / "people.yaml"

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"

_IN_MOTO = threading.RLock()
_process_request = BotocoreStubber.process_request


def statements(*policies: str, **parameters: str) -> list[Statement]:
    """Those of the managed policies of people with these logical ids."""
    made = template.resources_of(PEOPLE, parameters)
    return [
        statement
        for policy in policies
        for statement in made[policy]["Properties"]["PolicyDocument"]["Statement"]
    ]


def actions(statements: Sequence[Statement]) -> set[str]:
    return {action for statement in statements for action in _listed(statement["Action"])}


def without(statements: Sequence[Statement], *actions: str) -> list[Statement]:
    rest = [
        {**s, "Action": [a for a in _listed(s["Action"]) if a not in actions]} for s in statements
    ]
    return [statement for statement in rest if statement["Action"]]


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


@contextmanager
def an_account() -> Iterator[None]:
    """moto's, in this process, reached as AWS is: by credentials and a Region alone."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PIPES"):
            patch.delenv(name, raising=False)
        patch.setenv("TARGET", "aws")
        patch.setenv("AWS_DEFAULT_REGION", template.REGION)
        patch.setattr(BotocoreStubber, "process_request", _one_at_a_time)
        with mock_aws():
            _call_each_service()
            yield


def _one_at_a_time(stubber: BotocoreStubber, request: Any) -> Any:
    """moto goes through the queues of an account, say, while another thread adds one."""
    with _IN_MOTO:
        return _process_request(stubber, request)


def _call_each_service() -> None:
    """moto makes the routes of a service at the first call. They are compiled, and in CPython 3.11
    two threads that compile at the same time can end in "recursion depth mismatch"."""
    session = boto3.Session("test", "test", region_name=template.REGION)
    session.client("dynamodb").list_tables()
    session.client("kinesis").list_streams()
    session.client("lambda").list_functions()
    session.client("logs").describe_log_groups()
    session.client("sns").list_topics()
    session.client("sqs").list_queues()
    session.client("sts").get_caller_identity()
