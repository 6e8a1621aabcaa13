"""The alerts function publishes with its role, and needs each of the actions in it."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import template
from alerts import handler as alerts
from eventbridge_pipes.execution import dead_letter
from iam.deployment import actions, without
from iam.enforcement import Enforcement
from iam.evaluation import Need, allowed
from iam.stack import NAMES, Invocation, Stack, a_stack, environment_of, of_role, under
from inventory.stock import Outcome
from pipes_samples import PIPE, record
from processor.records import Record, Result
from processor.rejections import message_of

ROLE = of_role("AlertsRole")
ACTIONS = actions(ROLE)
QUEUE = template.arn("sqs", "inventory-alerts")
TABLE_STREAM = template.arn("dynamodb", f"table/{NAMES.table}/stream/2026-11-24T00:00:00.000")
LOG = template.arn("logs", f"log-group:/aws/lambda/{NAMES.alerts_function}:log-stream:one")
BY_LAMBDA = [
    *(Need(f"sqs:{name}", QUEUE) for name in ("ReceiveMessage", "DeleteMessage")),
    Need("sqs:GetQueueAttributes", QUEUE),
    *(Need(f"dynamodb:{n}", TABLE_STREAM) for n in ("DescribeStream", "GetRecords")),
    Need("dynamodb:GetShardIterator", TABLE_STREAM),
    Need("dynamodb:ListStreams", "*"),
    *(Need(f"logs:{name}", LOG) for name in ("CreateLogStream", "PutLogEvents")),
]
"""Done in the function's name by Lambda, which is not here: as AWS documents it.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html"""

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack() as stack, environment_of("Alerts"):
        yield stack


def message(body: str) -> dict[str, Any]:
    return {
        "messageId": f"m-{next(_numbers)}",
        "eventSource": "aws:sqs",
        "body": body,
        "attributes": {"SentTimestamp": str(int(time.time() * 1000))},
    }


def failures(stack: Stack, code: str) -> list[dict[str, Any]]:
    """A rejection for the reason `code`, and a dead letter."""
    kinesis = stack.session.client("kinesis")
    put = kinesis.put_record(StreamName=NAMES.stream, Data=b"{}", PartitionKey=code)
    lost = replace(record(1), sequence_number=put["SequenceNumber"])
    pipe = replace(
        PIPE,
        arn=template.arn("pipes", f"pipe/{NAMES.pipe}"),
        source=template.arn("kinesis", f"stream/{NAMES.stream}"),
    )
    attempts = dead_letter.Condition.ATTEMPTS
    letter = dead_letter.message([lost], attempts, pipe, put["ShardId"], time.time())
    invalid = Record("shardId-000000000000:1", "1", "P1", "e30=", time.time())
    rejection = Result(invalid, Outcome.REJECTED, "it is wrong", "e-1", "P1", code)
    return [message(message_of(rejection)), message(letter)]


@pytest.fixture
def role(stack: Stack) -> Iterator[Enforcement]:
    caches = (alerts._settings, alerts._client)
    with under(ROLE) as role:
        for made in caches:
            made.cache_clear()
        yield role
    for made in caches:
        made.cache_clear()


def run(stack: Stack) -> str:
    """What it ends with, if it does not end well."""
    records = failures(stack, "field.kind")
    try:
        failed = alerts.handler({"Records": records}, Invocation())["batchItemFailures"]
    except ClientError as error:
        return str(error)
    return f"{len(failed)} come again" if failed else ""


def test_the_role_is_enough_and_all_of_it_is_used(stack: Stack, role: Enforcement) -> None:
    assert run(stack) == ""

    assert role.denied == []
    used = {need.action for asked in role.asked for need in asked.needs}
    assert used | {need.action for need in BY_LAMBDA} == ACTIONS
    assert [need for need in BY_LAMBDA if not allowed(ROLE, need)] == []


def test_the_log_names_any_action_that_the_role_lacks(
    stack: Stack, role: Enforcement, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {}
    for action in ACTIONS - {need.action for need in BY_LAMBDA}:
        role.statements = without(ROLE, action)
        said = f"{run(stack)} {capsys.readouterr().out}"
        named[action] = set(re.findall(r"not authorized to perform: ([\w:]+)", said))

    assert named == {action: {action} for action in named}
    assert {need.action for need in role.denied} == named.keys()
