"""The way to the stream, checked before the first event."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from inventory_aws.clients import KINESIS
from inventory_aws.kinesis_errors import explain
from producer.usage import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


def connect(stream: str) -> KinesisClient:
    """A Kinesis client, as the environment configures it, for which `stream` is there.

    Raises RefusedError when there is no region, no credentials, no way to the endpoint, or no
    stream that takes records.
    """
    _reach_this_machine_directly()
    endpoint = "its endpoint"
    try:
        client = boto3.client("kinesis", config=KINESIS)
        endpoint = client.meta.endpoint_url
        summary = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    except (BotoCoreError, ClientError) as failure:
        raise RefusedError(explain(failure, stream, endpoint)) from failure
    except ValueError as error:  # what botocore raises for an endpoint that is not a URL
        raise RefusedError(f"{error}. Check AWS_ENDPOINT_URL.") from error
    if summary["StreamStatus"] not in ("ACTIVE", "UPDATING"):
        raise RefusedError(
            f"The stream {stream} is {summary['StreamStatus']}. Try again when it is ACTIVE."
        )
    return client


def _reach_this_machine_directly() -> None:
    """In spite of a proxy, which has another 127.0.0.1."""
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    if others != "*":
        os.environ["no_proxy"] = ",".join(filter(None, [others, "127.0.0.1", "localhost"]))
