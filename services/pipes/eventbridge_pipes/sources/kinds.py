"""The services that records come from, and what differs between them."""

from __future__ import annotations

from enum import Enum

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pattern import RecordSource
from eventbridge_pipes.pipe import Pipe

_ADDED = frozenset({"eventSourceARN", "eventSourceKey", "invokeIdentityArn"})
_ADDED_UNLESS_SENT = _ADDED | {"awsRegion", "eventID", "eventName", "eventSource", "eventVersion"}
"""The records of DynamoDB's own API bring most of these, and AWS's tutorial filters by eventName:
https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-tutorial-create-dynamodb-sqs.html
"""


class SourceKind(RecordSource, Enum):
    """A kind of source: its service, its parameters, and what patterns know about its records.

    The payload is base64 for Kinesis, a string for SQS. What a table's stream holds is JSON as it
    is.
    """

    KINESIS = ("kinesis", "KinesisStreamParameters", 100, "data", "data", _ADDED_UNLESS_SENT)
    DYNAMODB = ("dynamodb", "DynamoDBStreamParameters", 100, None, "dynamodb", _ADDED)
    SQS = ("sqs", "SqsQueueParameters", 10, "body", None, _ADDED_UNLESS_SENT)

    def __init__(
        self,
        service: str,
        parameters: str,
        default_batch_size: int,
        payload: str | None,
        object_member: str | None,
        added: frozenset[str],
    ) -> None:
        self.service = service
        self.parameters = parameters
        self.default_batch_size = default_batch_size
        self.payload = payload
        self.object_member = object_member
        self.added = added

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
