"""The kinds of resources, as data: what is described is what is compared with AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from provisioner.policies import Policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.literals import (
        BillingModeType,
        ScalarAttributeTypeType,
        StreamViewTypeType,
    )
    from mypy_boto3_kinesis.literals import StreamModeType
    from mypy_boto3_lambda.literals import RuntimeType
    from mypy_boto3_pipes.literals import (
        KinesisStreamStartPositionType,
        OnPartialBatchItemFailureStreamsType,
        PipeTargetInvocationTypeType,
    )

TAGS: Mapping[str, str] = {"project": "inventory-stack"}


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
    fixed: ClassVar = {"key": "save what is in it and delete it, or set TABLE_NAME to another name"}
    key: Key
    billing: BillingModeType = "PAY_PER_REQUEST"
    stream_view: StreamViewTypeType | None


@dataclass(frozen=True, kw_only=True)
class Queue(Resource):
    kind = "queue"
    retention_seconds: int
    encrypted: bool = True
    policy: Policy | None = None


@dataclass(frozen=True, kw_only=True)
class Topic(Resource):
    """A topic and its one subscription of ours: the queue with the ARN `subscriber`."""

    kind = "topic"
    stage = 2
    subscriber: str | None
    raw_delivery: bool = True


@dataclass(frozen=True, kw_only=True)
class LogGroup(Resource):
    kind = "log group"
    retention_days: int | None


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
    dead_letter_queue: str | None
    on_partial_failure: OnPartialBatchItemFailureStreamsType | None = "AUTOMATIC_BISECT"
    invocation_type: PipeTargetInvocationTypeType = "REQUEST_RESPONSE"
    state: str = "RUNNING"

    @property
    def detail(self) -> str:
        return f"batches of up to {self.batch_size}"
