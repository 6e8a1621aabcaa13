"""Rules about where a stream's pipe sends what it gives up on."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.rules.wording import arn_of, is_fifo, other_region


def dead_letter_violations(where: str, text: str, region: str) -> Iterator[Violation]:
    arn = arn_of(text)
    if arn is None or arn.service not in ("sqs", "sns"):
        message = f"The dead-letter target {text} must be an SQS queue or an SNS topic"
        yield Violation(where, message)
    elif is_fifo(arn):
        message = f"The dead-letter target {text} is FIFO; only standard queues and topics are"
        yield Violation(where, f"{message} supported")
    else:
        yield from other_region(where, arn, region)
