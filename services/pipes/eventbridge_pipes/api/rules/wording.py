"""What the rules share: ARNs that may not be ARNs, and how a refusal is worded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.arn import Arn

Members = Mapping[str, Any]

CROSS_REGION = "Creating cross-region pipe is not permitted."


def refusal(what: str, instead: str) -> str:
    return f"{what} is not supported by this implementation of EventBridge Pipes; use {instead}"


def arn_of(text: str) -> Arn | None:
    """None for what is no ARN, such as the address of a Kafka cluster."""
    try:
        return Arn.parse(text)
    except ValueError:
        return None


def not_carried_out(
    role: str, text: str, names: Mapping[str, str], instead: Sequence[str]
) -> Violation:
    """`names` has what a resource is called by the service in its ARN; "" is for what has none."""
    arn = arn_of(text)
    name = names.get(arn.service if arn else "", "resource")
    message = refusal(f"The {name} {text} as {role}", f"the ARN of {', '.join(instead)}")
    return Violation(role, message)


def other_region(where: str, arn: Arn, region: str) -> Iterator[Violation]:
    if arn.region != region:
        yield Violation(where, CROSS_REGION)


def is_fifo(arn: Arn) -> bool:
    """Of a queue or a topic: the names of FIFO ones, and of no others, end so."""
    return arn.resource.endswith(".fifo")
