"""SNS topics, each with those subscriptions that are of queues of ours."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from provisioner.decision import Observed
from provisioner.kinds.rounds import AllAtOnce
from provisioner.policies import Policy
from provisioner.resources import Topic
from provisioner.tags import as_list, known_of_list

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Topics(AllAtOnce[Topic]):
    def __init__(self, sns: SNSClient) -> None:
        self._sns = sns

    def look(self, desired: Topic) -> Observed[Topic]:
        try:
            attributes = self._sns.get_topic_attributes(TopicArn=desired.arn)["Attributes"]
            tags = self._sns.list_tags_for_resource(ResourceArn=desired.arn)["Tags"]
            subscriptions = self._subscriptions(desired)
        except (
            self._sns.exceptions.NotFoundException,
            self._sns.exceptions.ResourceNotFoundException,
        ):
            return None
        return dataclasses.replace(
            desired,
            tags=known_of_list(tags),
            subscribers=frozenset(subscriptions),
            raw_delivery=all(self._is_raw(each) for each in subscriptions.values()),
            policy=Policy.from_json(policy) if (policy := attributes.get("Policy")) else None,
            kms_key=attributes.get("KmsMasterKeyId") or None,
        )

    def create(self, desired: Topic) -> None:
        attributes = {name: value for name, value in _attributes(desired).items() if value}
        self._sns.create_topic(Name=desired.name, Attributes=attributes, Tags=as_list(desired.tags))
        self._subscribe(desired, desired.subscribers)

    def update(self, desired: Topic, actual: Topic) -> None:
        if actual.tags != desired.tags:
            self._sns.tag_resource(ResourceArn=desired.arn, Tags=as_list(desired.tags))
        if (actual.policy, actual.kms_key) != (desired.policy, desired.kms_key):
            for name, value in _attributes(desired).items():
                self._sns.set_topic_attributes(
                    TopicArn=desired.arn, AttributeName=name, AttributeValue=value
                )
        subscriptions = self._subscriptions(desired)
        self._subscribe(desired, desired.subscribers - subscriptions.keys())
        for queue, subscription in subscriptions.items():
            if queue not in desired.subscribers:
                self._sns.unsubscribe(SubscriptionArn=subscription)
            elif actual.raw_delivery != desired.raw_delivery:
                self._sns.set_subscription_attributes(
                    SubscriptionArn=subscription,
                    AttributeName="RawMessageDelivery",
                    AttributeValue=_flag(desired.raw_delivery),
                )

    def delete(self, desired: Topic) -> None:
        """Its subscriptions go with it."""
        self._sns.delete_topic(TopicArn=desired.arn)

    def _subscriptions(self, topic: Topic) -> dict[str, str]:
        """The ARNs of the subscriptions of queues of ours, by the queue's."""
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic.arn)
        return {
            each["Endpoint"]: each["SubscriptionArn"]
            for page in pages
            for each in page["Subscriptions"]
            if each["Protocol"] == "sqs" and each["Endpoint"] in topic.queues
        }

    def _is_raw(self, subscription: str) -> bool:
        answer = self._sns.get_subscription_attributes(SubscriptionArn=subscription)
        return answer["Attributes"].get("RawMessageDelivery") == "true"

    def _subscribe(self, topic: Topic, queues: frozenset[str]) -> None:
        for queue in sorted(queues):
            self._sns.subscribe(
                TopicArn=topic.arn,
                Protocol="sqs",
                Endpoint=queue,
                Attributes={"RawMessageDelivery": _flag(topic.raw_delivery)},
            )


def _attributes(topic: Topic) -> dict[str, str]:
    """An empty one is none."""
    return {
        "Policy": topic.policy.to_json() if topic.policy else "",
        "KmsMasterKeyId": topic.kms_key or "",
    }


def _flag(value: bool) -> str:
    return str(value).lower()
