"""Clients of AWS's services. The environment says where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_pipes import EventBridgePipesClient
    from mypy_boto3_sqs import SQSClient

STANDARD = Config(connect_timeout=5, retries={"mode": "standard"})

KINESIS = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
"""For the sender, which retries itself: its back-off can be interrupted."""

READER = Config(connect_timeout=5, retries={"mode": "standard", "max_attempts": 10})
"""A shard answers five reads a second, and the pipe reads it too: throttled calls are retried.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html"""

ONE_TRY = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Clients:
    """The clients of a session, each made when it is first used.

    `config` replaces the usual configuration of each.
    """

    session: boto3.Session
    config: Config | None = None

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self.session.client("cloudwatch", config=self.config or STANDARD)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", config=self.config or STANDARD)

    @cached_property
    def kinesis(self) -> KinesisClient:
        """The client to send with."""
        return self.session.client("kinesis", config=self.config or KINESIS)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs", config=self.config or STANDARD)

    @cached_property
    def pipes(self) -> EventBridgePipesClient:
        return self.session.client("pipes", config=self.config or ONE_TRY)

    @cached_property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs", config=self.config or STANDARD)

    @cached_property
    def stream_reader(self) -> KinesisClient:
        return self.session.client("kinesis", config=self.config or READER)

    @cached_property
    def table_stream_reader(self) -> DynamoDBStreamsClient:
        return self.session.client("dynamodbstreams", config=self.config or READER)
