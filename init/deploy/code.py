"""Where CloudFormation gets the functions' zip from: a bucket of S3."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Code:
    """`own`: the bucket is ours, to be made and removed."""

    zip: bytes
    bucket: str
    own: bool

    @property
    def key(self) -> str:
        """Other code has another key, by which CloudFormation sees that it has changed."""
        return f"inventory-{hashlib.sha256(self.zip).hexdigest()[:16]}.zip"

    def upload(self, s3: S3Client) -> None:
        if self.own and not exists(s3, self.bucket):
            region = s3.meta.region_name
            elsewhere = {"LocationConstraint": region}
            s3.create_bucket(
                Bucket=self.bucket,
                **({} if region == "us-east-1" else {"CreateBucketConfiguration": elsewhere}),  # type: ignore[arg-type]
            )
        s3.put_object(Bucket=self.bucket, Key=self.key, Body=self.zip)


def own_bucket(stack: str, account: str, region: str) -> str:
    """Names of buckets are one for all the world."""
    return f"{stack}-code-{account}-{region}"


def exists(s3: S3Client, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def remove(s3: S3Client, bucket: str) -> None:
    if not exists(s3, bucket):
        return
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
    s3.delete_bucket(Bucket=bucket)
