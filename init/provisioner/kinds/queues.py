"""SQS queues and their policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.decision import Observed
from provisioner.errors import NotYetError
from provisioner.kinds.rounds import AllAtOnce
from provisioner.policies import Policy
from provisioner.resources import Queue
from provisioner.tags import known

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType


class Queues(AllAtOnce[Queue]):
    def __init__(self, sqs: SQSClient) -> None:
        self._sqs = sqs

    def look(self, desired: Queue) -> Observed[Queue]:
        try:
            url = self._url(desired)
            attributes = self._sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "QueueArn",
                    "MessageRetentionPeriod",
                    "VisibilityTimeout",
                    "SqsManagedSseEnabled",
                    "KmsMasterKeyId",
                    "Policy",
                ],
            )["Attributes"]
            tags = self._sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        except self._sqs.exceptions.QueueDoesNotExist:
            return None
        policy = attributes.get("Policy")
        kms_key = attributes.get("KmsMasterKeyId") or None
        return Queue(
            name=desired.name,
            arn=attributes["QueueArn"],
            tags=known(tags),
            retention_seconds=int(attributes["MessageRetentionPeriod"]),
            visibility_seconds=int(attributes["VisibilityTimeout"]),
            encrypted=kms_key is not None or attributes.get("SqsManagedSseEnabled") == "true",
            kms_key=kms_key,
            policy=Policy.from_json(policy) if policy else None,
        )

    def create(self, desired: Queue) -> None:
        try:
            self._sqs.create_queue(
                QueueName=desired.name, Attributes=_attributes(desired), tags=desired.tags
            )
        except self._sqs.exceptions.QueueDeletedRecently as error:
            # AWS keeps the name of a deleted queue for 60 seconds.
            raise NotYetError("a queue of this name was deleted a moment ago") from error

    def update(self, desired: Queue, actual: Queue) -> None:
        url = self._url(desired)
        if actual.tags != desired.tags:
            self._sqs.tag_queue(QueueUrl=url, Tags=desired.tags)
        # What is empty takes away what is there.
        attributes: dict[QueueAttributeNameType, str] = {"Policy": ""}
        if actual.kms_key:
            attributes["KmsMasterKeyId"] = ""
        self._sqs.set_queue_attributes(
            QueueUrl=url, Attributes={**attributes, **_attributes(desired)}
        )

    def delete(self, desired: Queue) -> None:
        self._sqs.delete_queue(QueueUrl=self._url(desired))

    def _url(self, queue: Queue) -> str:
        return self._sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]


def _attributes(queue: Queue) -> dict[QueueAttributeNameType, str]:
    attributes: dict[QueueAttributeNameType, str] = {
        "MessageRetentionPeriod": str(queue.retention_seconds),
        "VisibilityTimeout": str(queue.visibility_seconds),
        "SqsManagedSseEnabled": str(queue.encrypted and not queue.kms_key).lower(),
    }
    if queue.kms_key:
        attributes["KmsMasterKeyId"] = queue.kms_key
    if queue.policy:
        attributes["Policy"] = queue.policy.to_json()
    return attributes
