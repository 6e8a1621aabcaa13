"""The services that records come from, and what differs between them."""

from __future__ import annotations

from enum import Enum

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe


class SourceKind(Enum):
    """A kind of source: what its ARN looks like, what it calls its parameters and its payload.

    `payload` is the member of a record that may hold JSON as text, for patterns and paths to look
    into: base64 for Kinesis, a string for SQS. What a table's stream holds is JSON as it is.
    """

    KINESIS = ("kinesis", "KinesisStreamParameters", "data", 100)
    DYNAMODB = ("dynamodb", "DynamoDBStreamParameters", None, 100)
    SQS = ("sqs", "SqsQueueParameters", "body", 10)

    def __init__(
        self, service: str, parameters: str, payload: str | None, default_batch_size: int
    ) -> None:
        self.service = service
        self.parameters = parameters
        self.payload = payload
        self.default_batch_size = default_batch_size

    @property
    def is_stream(self) -> bool:
        return self is not SourceKind.SQS

    @classmethod
    def of(cls, arn: Arn) -> SourceKind | None:
        """None for a source that is not carried out; a stream consumer of Kinesis is none."""
        parts = arn.resource.split("/")
        match arn.service, parts:
            case "kinesis", ["stream", _]:
                return cls.KINESIS
            case "dynamodb", ["table", _, "stream", _]:
                return cls.DYNAMODB
            case "sqs", [_]:
                return cls.SQS
        return None


def source_kind(pipe: Pipe) -> SourceKind:
    kind = SourceKind.of(Arn.parse(pipe.source))
    assert kind, f"{pipe.source} was never accepted as a source"  # noqa: S101
    return kind
