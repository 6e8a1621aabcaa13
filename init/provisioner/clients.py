"""The boto3 clients of all services that have resources of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from botocore.config import Config
from botocore.exceptions import NoRegionError

from provisioner.errors import SettingsError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_pipes import EventBridgePipesClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

_CONFIG = Config(connect_timeout=5, retries={"mode": "standard"})


@dataclass(frozen=True)
class Clients:
    cloudwatch: CloudWatchClient
    kinesis: KinesisClient
    dynamodb: DynamoDBClient
    lambda_: LambdaClient
    iam: IAMClient
    sqs: SQSClient
    sns: SNSClient
    logs: CloudWatchLogsClient
    pipes: EventBridgePipesClient
    sts: STSClient

    @classmethod
    def from_session(cls, session: boto3.Session) -> Self:
        """Clients of what the session and the environment say (AWS_ENDPOINT_URL and the like).

        Raises SettingsError when neither names a Region.
        """
        try:
            clients = cls(
                cloudwatch=session.client("cloudwatch", config=_CONFIG),
                kinesis=session.client("kinesis", config=_CONFIG),
                dynamodb=session.client("dynamodb", config=_CONFIG),
                lambda_=session.client("lambda", config=_CONFIG),
                iam=session.client("iam", config=_CONFIG),
                sqs=session.client("sqs", config=_CONFIG),
                sns=session.client("sns", config=_CONFIG),
                logs=session.client("logs", config=_CONFIG),
                pipes=session.client("pipes", config=_CONFIG),
                sts=session.client("sts", config=_CONFIG),
            )
        except NoRegionError:
            raise SettingsError("AWS_DEFAULT_REGION is not set: name the AWS Region") from None
        for client in vars(clients).values():
            # A client makes its exceptions when first asked for them. Asked by two threads at once
            # it makes two of each, and what one raises the other does not catch.
            _ = client.exceptions
        return clients
