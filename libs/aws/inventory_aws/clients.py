"""The clients of the commands; where they lead is in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient


# The sender repeats calls itself: its back-off can be interrupted, and counts what it repeats.
KINESIS = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})


@dataclass(frozen=True, slots=True)
class Clients:
    dynamodb: DynamoDBClient
    kinesis: KinesisClient
    logs: CloudWatchLogsClient
    sqs: SQSClient

    @classmethod
    def from_session(cls, session: boto3.Session) -> Self:
        config = Config(connect_timeout=5, retries={"mode": "standard"})
        return cls(
            dynamodb=session.client("dynamodb", config=config),
            kinesis=session.client("kinesis", config=KINESIS),
            logs=session.client("logs", config=config),
            sqs=session.client("sqs", config=config),
        )
