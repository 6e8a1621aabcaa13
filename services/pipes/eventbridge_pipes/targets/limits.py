"""How many records a target takes at once."""

from __future__ import annotations

from dataclasses import dataclass

from eventbridge_pipes.arns import Arn


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


def batch_limit(target: Arn) -> BatchLimit | None:
    """What a batch for `target` may hold; None when only its size in bytes counts."""
    return BATCH_LIMITS.get(target.service)
