"""The clients of the sources; where they lead is in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

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

# A source that gives no answer is asked again in the next round, and shown as such until then.
CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})


@dataclass(frozen=True, slots=True)
class Clients:
    cloudwatch: CloudWatchClient
    dynamodb: DynamoDBClient
    dynamodbstreams: DynamoDBStreamsClient
    kinesis: KinesisClient
    logs: CloudWatchLogsClient
    pipes: EventBridgePipesClient
    sqs: SQSClient

    @classmethod
    def from_session(cls, session: boto3.Session) -> Self:
        return cls(
            cloudwatch=session.client("cloudwatch", config=CONFIG),
            dynamodb=session.client("dynamodb", config=CONFIG),
            dynamodbstreams=session.client("dynamodbstreams", config=CONFIG),
            kinesis=session.client("kinesis", config=CONFIG),
            logs=session.client("logs", config=CONFIG),
            pipes=session.client("pipes", config=CONFIG),
            sqs=session.client("sqs", config=CONFIG),
        )
