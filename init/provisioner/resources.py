"""The kinds of resources, as data: what is described is what is compared with AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from provisioner.account import Account
from provisioner.policies import Policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.literals import (
        BillingModeType,
        ScalarAttributeTypeType,
        StreamViewTypeType,
    )
    from mypy_boto3_kinesis.literals import StreamModeType
    from mypy_boto3_lambda.literals import (
        EventSourcePositionType,
        FunctionResponseTypeType,
        RuntimeType,
    )
    from mypy_boto3_pipes.literals import (
        KinesisStreamStartPositionType,
        OnPartialBatchItemFailureStreamsType,
        PipeTargetInvocationTypeType,
    )

PROJECT = "inventory-stack"
DEFAULT_STAGE = "default"


def tags_of(stage: str) -> Mapping[str, str]:
    """What tells the resources of a stage from all others of an account."""
    return {"project": PROJECT, "stage": stage}


TAGS = tags_of(DEFAULT_STAGE)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What every resource has. Those of a lower `stage` must exist first, and are deleted last.

    `fixed` has the fields that AWS cannot change in place, with what to do instead.
    """

    kind: ClassVar[str]
    stage: ClassVar[int] = 1
    fixed: ClassVar[Mapping[str, str]] = {}
    name: str
    arn: str
    tags: Mapping[str, str] = field(default_factory=lambda: TAGS)

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def detail(self) -> str:
        """What to say about it when it is created, where its name does not say it all."""
        return ""

    @property
    def kept_for(self) -> str:
        """Why AWS would not delete it, where that was asked for."""
        return ""


KINESIS_KEY = "alias/aws/kinesis"
"""The key that AWS keeps in each account for its streams. Kinesis has none that is AWS's alone, as
tables and queues do; this one costs nothing to have, and whoever may use a stream may use it."""


@dataclass(frozen=True, kw_only=True)
class Stream(Resource):
    """Made once there is what its records go through: where everything is made again, producer and
    pipe may be running already, and records that nobody can take would be given up on."""

    kind = "stream"
    stage = 3
    fixed: ClassVar = {
        "mode": "use `aws kinesis update-stream-mode`, or set STREAM_NAME to another name"
    }
    shards: int
    mode: StreamModeType = "PROVISIONED"
    kms_key: str | None = KINESIS_KEY
    """An ARN, or the alias of AWS's key; None, a stream in the clear, is found and never wanted."""

    @property
    def detail(self) -> str:
        return f"{self.shards} shard{'s' if self.shards > 1 else ''}"


@dataclass(frozen=True)
class Key:
    """(attribute, type) of the partition key and, if there is one, of the sort key."""

    attributes: tuple[tuple[str, ScalarAttributeTypeType], ...]

    def __str__(self) -> str:
        return ", ".join(f"{name} ({kind})" for name, kind in self.attributes)


@dataclass(frozen=True, kw_only=True)
class Table(Resource):
    kind = "table"
    fixed: ClassVar = {
        "key": "save what is in it and delete it, "
        "or set TABLE_NAME, REMOVALS_TABLE_NAME or ALERTS_TABLE_NAME to another name"
    }
    key: Key
    billing: BillingModeType = "PAY_PER_REQUEST"
    stream_view: StreamViewTypeType | None
    expiry: str | None = None
    """The attribute that says when an item may go (epoch seconds), if one does."""
    kms_key: str | None = None
    """The ARN of a key; None is one that AWS owns."""
    point_in_time_recovery: bool = False
    deletion_protection: bool = False

    @property
    def kept_for(self) -> str:
        if not self.deletion_protection:
            return ""
        off = f"aws dynamodb update-table --table-name {self.name} --no-deletion-protection-enabled"
        return f"it is protected from deletion, until you run `{off}`"


@dataclass(frozen=True, kw_only=True)
class Queue(Resource):
    kind = "queue"
    retention_seconds: int
    visibility_seconds: int = 30
    encrypted: bool = True
    kms_key: str | None = None
    """The ARN of the key that it is encrypted with; None is one that SQS owns."""
    policy: Policy | None = None


@dataclass(frozen=True, kw_only=True)
class Topic(Resource):
    """A topic, and which of `queues`, those of ours, are subscribed to it. All are ARNs.

    Whoever else is subscribed is none of our business.
    """

    kind = "topic"
    stage = 2
    queues: frozenset[str]
    subscribers: frozenset[str]
    raw_delivery: bool = True
    policy: Policy | None = None
    kms_key: str | None = None
    """The ARN of a key; without one SNS keeps messages on disks that AWS encrypts. AWS's key for
    topics, alias/aws/sns, would keep services such as CloudWatch from publishing."""


@dataclass(frozen=True, kw_only=True)
class PublicTopic(Topic):
    """A topic for people. Made last: where the rejected queue was subscribed to it, it is so until
    nothing sends rejections to it any more."""

    stage = 5


@dataclass(frozen=True, kw_only=True)
class LogGroup(Resource):
    kind = "log group"
    retention_days: int | None

    @classmethod
    def of_function(cls, function: str, account: Account, retention_days: int) -> Self:
        """The one that Lambda has a function log to."""
        name = f"/aws/lambda/{function}"
        arn = account.arn("logs", f"log-group:{name}")
        return cls(name=name, arn=arn, retention_days=retention_days)


@dataclass(frozen=True, kw_only=True)
class Role(Resource):
    kind = "role"
    trust: Policy
    policy: Policy | None


@dataclass(frozen=True, kw_only=True)
class Function(Resource):
    """`code` is the base64 of the zip's SHA-256, as Lambda answers it."""

    kind = "function"
    stage = 2
    code: str
    role: str
    runtime: RuntimeType
    handler: str
    memory_mb: int
    timeout_seconds: int
    environment: Mapping[str, str]

    @property
    def detail(self) -> str:
        return f"{self.runtime}, {self.memory_mb} MB"


@dataclass(frozen=True, kw_only=True)
class Pipe(Resource):
    kind = "pipe"
    stage = 4
    fixed: ClassVar = {
        "source": "delete the pipe, or set PIPE_NAME to another name",
        "starting_position": "delete the pipe, or set STARTING_POSITION back",
    }
    role: str
    source: str
    starting_position: KinesisStreamStartPositionType
    target: str
    batch_size: int
    batching_window_seconds: int
    max_retry_attempts: int
    max_record_age_seconds: int
    dead_letters: str | None
    on_partial_failure: OnPartialBatchItemFailureStreamsType | None = "AUTOMATIC_BISECT"
    invocation_type: PipeTargetInvocationTypeType = "REQUEST_RESPONSE"
    state: str = "RUNNING"

    @property
    def detail(self) -> str:
        return f"batches of up to {self.batch_size}"


@dataclass(frozen=True, kw_only=True)
class EventSource(Resource):
    """What Lambda polls for a function: an event source mapping. Its own ARN is AWS's choice.

    `source` is the ARN of the queue, or of the table whose stream it is.
    """

    kind = "event source"
    stage = 6
    arn: str = ""
    function: str
    source: str
    batch_size: int
    batching_window_seconds: int
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class QueueSource(EventSource):
    """A queue. The function reports the messages that are to come again."""

    max_concurrency: int
    response_types: tuple[FunctionResponseTypeType, ...] = ("ReportBatchItemFailures",)


@dataclass(frozen=True, kw_only=True)
class TableSource(EventSource):
    """A table's stream. A failed batch is halved, and given up on in the end."""

    fixed: ClassVar = {"starting_position": "delete the event source mapping"}
    starting_position: EventSourcePositionType = "TRIM_HORIZON"
    max_retry_attempts: int
    max_record_age_seconds: int
    bisect: bool = True
