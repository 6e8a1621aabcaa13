"""SNS topics, each with its one subscription of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.decision import Observed
from provisioner.resources import Topic
from provisioner.tags import as_list, known_of_list

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Topics:
    adopts = False

    def __init__(self, sns: SNSClient) -> None:
        self._sns = sns

    def look(self, desired: Topic) -> Observed[Topic]:
        try:
            self._sns.get_topic_attributes(TopicArn=desired.arn)
            tags = self._sns.list_tags_for_resource(ResourceArn=desired.arn)["Tags"]
            subscription = self._subscription(desired)
        except (
            self._sns.exceptions.NotFoundException,
            self._sns.exceptions.ResourceNotFoundException,
        ):
            return None
        return Topic(
            name=desired.name,
            arn=desired.arn,
            tags=known_of_list(tags),
            subscriber=desired.subscriber if subscription else None,
            raw_delivery=subscription is not None and self._is_raw(subscription),
        )

    def create(self, desired: Topic) -> None:
        self._sns.create_topic(Name=desired.name, Tags=as_list(desired.tags))
        self._subscribe(desired)

    def update(self, desired: Topic, actual: Topic) -> None:
        if actual.tags != desired.tags:
            self._sns.tag_resource(ResourceArn=desired.arn, Tags=as_list(desired.tags))
        subscription = self._subscription(desired)
        if subscription is None:
            self._subscribe(desired)
        elif actual.raw_delivery != desired.raw_delivery:
            self._sns.set_subscription_attributes(
                SubscriptionArn=subscription,
                AttributeName="RawMessageDelivery",
                AttributeValue=_flag(desired.raw_delivery),
            )

    def delete(self, desired: Topic) -> None:
        """Its subscriptions go with it."""
        self._sns.delete_topic(TopicArn=desired.arn)

    def _subscription(self, topic: Topic) -> str | None:
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic.arn)
        for page in pages:
            for each in page["Subscriptions"]:
                if each["Protocol"] == "sqs" and each["Endpoint"] == topic.subscriber:
                    return each["SubscriptionArn"]
        return None

    def _is_raw(self, subscription: str) -> bool:
        answer = self._sns.get_subscription_attributes(SubscriptionArn=subscription)
        return answer["Attributes"].get("RawMessageDelivery") == "true"

    def _subscribe(self, topic: Topic) -> None:
        if topic.subscriber is not None:
            self._sns.subscribe(
                TopicArn=topic.arn,
                Protocol="sqs",
                Endpoint=topic.subscriber,
                Attributes={"RawMessageDelivery": _flag(topic.raw_delivery)},
            )


def _flag(value: bool) -> str:
    return str(value).lower()
