"""How many records, and how many bytes, a target takes at once."""

from __future__ import annotations

from dataclasses import dataclass

from eventbridge_pipes.arn import Arn


@dataclass(frozen=True)
class BatchLimit:
    """`label` is what the target is called in an error message."""

    records: int
    label: str


BATCH_LIMITS = {
    "events": BatchLimit(10, "EventBridge event bus"),
    "kinesis": BatchLimit(500, "Kinesis stream"),
    "logs": BatchLimit(10_000, "CloudWatch Logs"),
    "sns": BatchLimit(10, "SNS topic"),
    "sqs": BatchLimit(10, "SQS queue"),
}
"""By the service of the target. It is also what one call of the service's batch API takes.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html"""

FUNCTION_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an invocation that is waited for: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

FUNCTION_ASYNC_PAYLOAD = 1024 * 1024
"""Bytes of one that is not."""

STATE_MACHINE_INPUT = 262_144
"""Bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def payload_limit(arn: Arn, waits: bool) -> int:
    """The bytes of a batch for the target or enrichment `arn`; `waits`: for its answer.

    What takes messages one by one sets no limit of its own.
    """
    if arn.service == "states":
        return STATE_MACHINE_INPUT
    return FUNCTION_ASYNC_PAYLOAD if arn.service == "lambda" and not waits else FUNCTION_PAYLOAD


def batch_limit(target: Arn) -> BatchLimit | None:
    """What a batch for `target` may hold; None when only its size in bytes counts."""
    return BATCH_LIMITS.get(target.service)
