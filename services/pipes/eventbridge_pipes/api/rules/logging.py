"""Rules about where the execution log goes."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.protocol import field_name
from eventbridge_pipes.api.rules.wording import Members, other_region, refusal
from eventbridge_pipes.arn import Arn

CLOUDWATCH = "CloudwatchLogsLogDestination"


def logging_violations(configuration: Members, region: str) -> Iterator[Violation]:
    for name in ("FirehoseLogDestination", "S3LogDestination"):
        if name in configuration:
            yield Violation(field_name("logConfiguration", name), refusal(name, CLOUDWATCH))
    if CLOUDWATCH in configuration:
        where = field_name("logConfiguration", CLOUDWATCH)
        arn = Arn.parse(configuration[CLOUDWATCH]["LogGroupArn"])
        yield from other_region(f"{where}.logGroupArn", arn, region)
    elif configuration.get("Level", "OFF") != "OFF":
        # Not documented. Without a destination nobody would ever see what is asked for here.
        message = f"A log of level {configuration['Level']} needs a destination: {CLOUDWATCH}"
        yield Violation("logConfiguration", message)
