"""How large the batches of a pipe may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.targets.target import PAYLOAD_LIMIT
from pipes_samples import PIPE

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:f"
STATES = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
SQS = "arn:aws:sqs:us-east-1:000000000000:q"
ASYNC = {"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}


@pytest.mark.parametrize(
    ("target", "parameters", "enrichment", "bytes_"),
    [
        (LAMBDA, {}, None, PAYLOAD_LIMIT),
        (SQS, {}, None, PAYLOAD_LIMIT),
        (LAMBDA, ASYNC, None, 1024 * 1024),
        (STATES, {}, None, 262_144),
        (LAMBDA, {}, STATES, 262_144),
        (LAMBDA, ASYNC, LAMBDA, 1024 * 1024),
        (SQS, {}, LAMBDA, PAYLOAD_LIMIT),
    ],
)
def test_a_batch_is_no_larger_than_what_target_and_enrichment_take(
    target: str, parameters: dict[str, Any], enrichment: str | None, bytes_: int
) -> None:
    pipe = replace(PIPE, target=target, target_parameters=parameters, enrichment=enrichment)
    assert batch_rules(pipe).payload == bytes_
