"""The boto3 clients that the service shares between all its threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CONNECTIONS = 256
"""Threads that may use a client at once without opening a connection for each call."""

EXECUTION_LIMIT = 300
"""Seconds that one execution of a pipe may take, as on AWS."""

_ONE_TRY: Mapping[str, Any] = {"total_max_attempts": 1, "mode": "standard"}


class AwsSetupError(Exception):
    """No Region or no credentials; the message says what to set."""


@dataclass(frozen=True)
class Clients:
    """`kinesis` leaves record data in base64 and times as numbers: they go on as they came."""

    region: str
    kinesis: KinesisClient
    lambda_: LambdaClient
    sqs: SQSClient
    sns: SNSClient


def connect() -> Clients:
    """Clients built from the standard AWS variables and profile, endpoints included.

    Raises AwsSetupError when there is no Region or there are no credentials.
    """
    try:
        session = boto3.Session()
        if not session.region_name:
            raise AwsSetupError("no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one")
        if session.get_credentials() is None:
            raise AwsSetupError(
                "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                "(any value will do for an emulator), or AWS_PROFILE"
            )
        return Clients(
            region=session.region_name,
            kinesis=_reading_session().client(
                # The reader has its own pace and its own patience.
                "kinesis",
                config=_config(retries=_ONE_TRY, connect_timeout=5, read_timeout=15),
            ),
            lambda_=session.client(
                # A call that botocore repeated by itself would invoke the function twice.
                "lambda",
                config=_config(
                    retries=_ONE_TRY, connect_timeout=5, read_timeout=EXECUTION_LIMIT + 10
                ),
            ),
            sqs=session.client("sqs", config=_config(connect_timeout=5, read_timeout=15)),
            sns=session.client("sns", config=_config(connect_timeout=5, read_timeout=15)),
        )
    except (BotoCoreError, ValueError) as error:
        raise AwsSetupError(f"the AWS settings cannot be used: {error}") from error


def _reading_session() -> boto3.Session:
    """A session whose clients do not decode blobs and timestamps.

    A record's data is passed on in base64, which is how it comes, so that decoding and encoding
    it again would cost most of the time that a page of records takes.
    """
    core = botocore.session.Session()
    core.get_component("response_parser_factory").set_parser_defaults(
        blob_parser=_as_it_is, timestamp_parser=_as_it_is
    )
    return boto3.Session(botocore_session=core)


def _as_it_is(value: Any) -> Any:
    return value


def _config(**settings: Any) -> Config:
    return Config(max_pool_connections=CONNECTIONS, tcp_keepalive=True, **settings)
