"""The rules that no single member shows, and what this service does not carry out.

Whatever is not carried out is refused by name: a pipe that was accepted does what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eventbridge_pipes.api.errors import ValidationError, Violation
from eventbridge_pipes.arns import Arn

Members = Mapping[str, Any]

CROSS_REGION = "Creating cross-region pipe is not permitted."
SOURCE_PARAMETERS = "sourceParameters"
KINESIS_PARAMETERS = "sourceParameters.kinesisStreamParameters"


def check(definition: Members, region: str) -> None:
    """Raises ValidationError unless `definition` is a whole pipe that can be run in `region`.

    `definition` has the members of CreatePipe; on an update, those of the pipe as it would be.
    """
    violations = list(violations_of(definition, region))
    if violations:
        raise ValidationError("; ".join(v.message for v in violations), violations)


def violations_of(definition: Members, region: str) -> Iterator[Violation]:
    yield from _source(definition, region)
    yield from _target(definition, region)
    yield from _not_carried_out(definition)


def _source(definition: Members, region: str) -> Iterator[Violation]:
    source = definition["Source"]
    parameters = definition.get("SourceParameters", {})
    arn = _arn(source)
    if arn is None or arn.service != "kinesis" or not arn.resource.startswith("stream/"):
        yield Violation("source", _refusal(f"The source {source}", "a Kinesis stream's ARN"))
        return
    if "/" in arn.resource.removeprefix("stream/"):
        yield Violation("source", _refusal(f"The stream consumer {source}", "its stream's ARN"))
    if arn.region != region:
        yield Violation("source", CROSS_REGION)
    for name in parameters:
        if name not in ("KinesisStreamParameters", "FilterCriteria"):
            where = f"{SOURCE_PARAMETERS}.{name[0].lower()}{name[1:]}"
            yield Violation(where, f"{name} does not belong to a Kinesis stream as source")
    if parameters.get("FilterCriteria", {}).get("Filters"):
        where = f"{SOURCE_PARAMETERS}.filterCriteria"
        yield Violation(where, _refusal("FilterCriteria", "no filters"))
    if "KinesisStreamParameters" not in parameters:
        message = "A Kinesis stream as source needs KinesisStreamParameters with StartingPosition"
        yield Violation(KINESIS_PARAMETERS, message)
    else:
        yield from _stream(parameters["KinesisStreamParameters"], region)


def _stream(stream: Members, region: str) -> Iterator[Violation]:
    timestamp_given = "StartingPositionTimestamp" in stream
    if timestamp_given != (stream["StartingPosition"] == "AT_TIMESTAMP"):
        yield Violation(
            f"{KINESIS_PARAMETERS}.startingPositionTimestamp",
            "StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it",
        )
    if stream.get("ParallelizationFactor", 1) > 1:
        where = f"{KINESIS_PARAMETERS}.parallelizationFactor"
        yield Violation(where, _refusal("ParallelizationFactor over 1", "1"))
    if "Arn" in stream.get("DeadLetterConfig", {}):
        yield from _dead_letters(stream["DeadLetterConfig"]["Arn"], region)


def _dead_letters(text: str, region: str) -> Iterator[Violation]:
    where = f"{KINESIS_PARAMETERS}.deadLetterConfig.arn"
    arn = _arn(text)
    if arn is None or arn.service not in ("sqs", "sns"):
        message = f"The dead-letter target {text} must be an SQS queue or an SNS topic"
        yield Violation(where, message)
    elif arn.resource.endswith(".fifo"):
        message = f"The dead-letter target {text} is FIFO; only standard queues and topics are"
        yield Violation(where, f"{message} supported")
    elif arn.region != region:
        yield Violation(where, CROSS_REGION)


def _target(definition: Members, region: str) -> Iterator[Violation]:
    target = definition["Target"]
    arn = _arn(target)
    if arn is None or arn.service != "lambda" or not arn.resource.startswith("function:"):
        yield Violation("target", _refusal(f"The target {target}", "a Lambda function's ARN"))
        return
    if arn.region != region:
        yield Violation("target", CROSS_REGION)
    for name, value in definition.get("TargetParameters", {}).items():
        where = f"targetParameters.{name[0].lower()}{name[1:]}"
        if name == "InputTemplate":
            if value:
                yield Violation(where, _refusal("InputTemplate", "none"))
        elif name != "LambdaFunctionParameters":
            yield Violation(where, f"{name} does not belong to a Lambda function as target")
        elif value.get("InvocationType") == "FIRE_AND_FORGET":
            refusal = _refusal("InvocationType FIRE_AND_FORGET", "REQUEST_RESPONSE")
            yield Violation(f"{where}.invocationType", refusal)


def _not_carried_out(definition: Members) -> Iterator[Violation]:
    for name in ("Enrichment", "EnrichmentParameters", "LogConfiguration", "KmsKeyIdentifier"):
        if definition.get(name):
            yield Violation(name[0].lower() + name[1:], _refusal(name, "none"))


def _refusal(what: str, instead: str) -> str:
    return f"{what} is not supported by this implementation of EventBridge Pipes; use {instead}"


def _arn(text: str) -> Arn | None:
    try:
        return Arn.parse(text)
    except ValueError:
        return None
