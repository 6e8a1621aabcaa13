"""Rules about the source and its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.protocol import field_name
from eventbridge_pipes.api.rules.dead_letters import dead_letter_violations
from eventbridge_pipes.api.rules.filters import filter_violations
from eventbridge_pipes.api.rules.wording import Members, arn_of, not_carried_out, other_region
from eventbridge_pipes.sources.kinds import SourceKind

LABELS = {
    SourceKind.KINESIS: "a Kinesis stream",
    SourceKind.DYNAMODB: "a DynamoDB stream",
    SourceKind.SQS: "an SQS queue",
}

_OTHERS = {
    "": "self-managed Kafka cluster",
    "dynamodb": "DynamoDB table",
    "kafka": "MSK cluster",
    "kinesis": "Kinesis stream consumer",
    "mq": "Amazon MQ broker",
}


def source_violations(definition: Members, region: str) -> Iterator[Violation]:
    """Nothing documented forbids a source of another account, so none is refused for that."""
    text = definition["Source"]
    arn = arn_of(text)
    kind = SourceKind.of(arn) if arn else None
    if arn is None or kind is None:
        yield not_carried_out("source", text, _OTHERS, list(LABELS.values()))
        return
    yield from other_region("source", arn, region)
    parameters = definition.get("SourceParameters", {})
    yield from _of_other_sources(parameters, kind)
    yield from filter_violations(parameters.get("FilterCriteria", {}), kind)
    if kind.is_stream:
        yield from _stream(parameters, kind, region)


def _of_other_sources(parameters: Members, kind: SourceKind) -> Iterator[Violation]:
    for name in parameters:
        if name not in (kind.parameters, "FilterCriteria"):
            message = f"{name} does not belong to {LABELS[kind]} as source"
            yield Violation(field_name("sourceParameters", name), message)


def _stream(parameters: Members, kind: SourceKind, region: str) -> Iterator[Violation]:
    where = field_name("sourceParameters", kind.parameters)
    stream = parameters.get(kind.parameters)
    if stream is None:
        message = f"{kind.parameters} with StartingPosition is needed for {LABELS[kind]} as source"
        yield Violation(where, message)
        return
    timestamp_given = "StartingPositionTimestamp" in stream
    if timestamp_given != (stream["StartingPosition"] == "AT_TIMESTAMP"):
        yield Violation(
            f"{where}.startingPositionTimestamp",
            "StartingPosition AT_TIMESTAMP needs StartingPositionTimestamp, and no other takes it",
        )
    if "Arn" in stream.get("DeadLetterConfig", {}):
        text = stream["DeadLetterConfig"]["Arn"]
        yield from dead_letter_violations(f"{where}.deadLetterConfig.arn", text, region)
