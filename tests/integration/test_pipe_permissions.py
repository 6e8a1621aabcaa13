"""The pipe under its role: our engine reads, invokes and gives up; what it may not is named.

moto has no pipes. What AWS's own ask for beyond ours does is in the documentation alone:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.response import StreamingBody

import eventbridge_pipes.aws.clients
import template
from eventbridge_pipes.aws.clients import connect
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Position
from eventbridge_pipes.runners import runner_of
from eventbridge_pipes.runners.idle import IdlePoller
from eventbridge_pipes.store import Origin, Store
from eventbridge_pipes.telemetry.metrics import Telemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from iam.deployment import actions, without
from iam.enforcement import Enforcement
from iam.stack import NAMES, Stack, a_stack, of_role, under
from pipes_samples import PIPE
from waiting import eventually

ROLE = of_role("PipeRole")
ACTIONS = actions(ROLE)
REFUSED = re.compile(r"not authorized to perform: ([\w:]+)")
BY_AWS_ALONE = {"kinesis:DescribeStream"}
BEGINNING = Origin(0, Position())


def failing_function(operation: str, given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if operation != "Invoke":
        return None
    body = b'{"errorMessage": "no", "errorType": "Error"}'
    payload = StreamingBody(io.BytesIO(body), len(body))
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}


def pipe(retries: int) -> Pipe:
    topic = template.arn("sns", "inventory-dead-letters")
    parameters = {
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": retries,
        "DeadLetterConfig": {"Arn": topic},
    }
    return replace(
        PIPE,
        source=template.arn("kinesis", f"stream/{NAMES.stream}"),
        target=template.arn("lambda", f"function:{NAMES.function}"),
        source_parameters={"KinesisStreamParameters": parameters},
    )


@pytest.fixture
def stack() -> Iterator[Stack]:
    with a_stack() as stack:
        yield stack


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> Iterator[Enforcement]:
    """Its calls go through botocore, where they are decided on and answered."""
    module = eventbridge_pipes.aws.clients
    monkeypatch.setattr(module, "http_client_like", lambda *_: None)
    # moto's answers come from this process: none has the bytes that are looked at for their end.
    monkeypatch.setattr(module, "check_answer", lambda **_: None)
    with under(ROLE, failing_function) as role:
        yield role


def test_the_pipe_does_all_with_its_role_and_names_any_action_that_it_lacks(
    stack: Stack, role: Enforcement, caplog: pytest.LogCaptureFixture
) -> None:
    aws = connect()
    caplog.set_level("INFO", "eventbridge_pipes")

    def run(retries: int, done: Callable[[], list[str]]) -> list[str]:
        store = Store(None)
        telemetry = Telemetry(aws, PrometheusMetrics(), 0)
        shared = (aws.of(aws.home), store, telemetry, IdlePoller())
        running = runner_of(*shared, pipe(retries), BEGINNING)
        running.start()
        try:
            return eventually(done, timeout=10)
        finally:
            running.stop()
            assert running.join(10)
            telemetry.close()
            store.close()

    stack.session.client("kinesis").put_record(
        StreamName=NAMES.stream, Data=b"{}", PartitionKey="p"
    )
    run(0, lambda: stack.messages(NAMES.dead_letter_queue))
    assert {n.action for asked in role.asked for n in asked.needs} == ACTIONS - BY_AWS_ALONE
    assert role.denied == []

    named = {}
    for action in sorted(ACTIONS - BY_AWS_ALONE):
        caplog.clear()
        role.statements = without(ROLE, action)
        # Why a call failed is said when it is made again.
        retries = int(action == "lambda:InvokeFunction")
        named[action] = run(retries, lambda: REFUSED.findall(caplog.text))

    assert {action: set(found) for action, found in named.items()} == {a: {a} for a in named}
