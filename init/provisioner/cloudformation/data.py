"""What holds data: streams, tables, queues, topics, logs."""

from __future__ import annotations

from provisioner.cloudformation.bodies import HOLDS_DATA, Body, Entries, body
from provisioner.cloudformation.references import References, substituted
from provisioner.policies import Policy
from provisioner.resources import LogGroup, Queue, Stream, Table, Topic
from provisioner.tags import as_list


def stream(stream: Stream, references: References) -> Entries:
    encryption = {"EncryptionType": "KMS", "KeyId": stream.kms_key} if stream.kms_key else None
    yield (
        references.id_of(stream),
        body(
            "AWS::Kinesis::Stream",
            {
                "Name": stream.name,
                "ShardCount": stream.shards,
                "StreamModeDetails": {"StreamMode": stream.mode},
                "StreamEncryption": encryption,
                "Tags": as_list(stream.tags),
            },
            **HOLDS_DATA,
        ),
    )


def table(table: Table, references: References) -> Entries:
    encryption: Body = {"SSEEnabled": table.kms_key is not None}
    if table.kms_key:
        encryption |= {"SSEType": "KMS", "KMSMasterKeyId": table.kms_key}
    keep = {"DeletionPolicy": "Retain"} if table.deletion_protection else {}
    yield (
        references.id_of(table),
        body(
            "AWS::DynamoDB::Table",
            {
                "TableName": table.name,
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": kind}
                    for name, kind in table.key.attributes
                ],
                "KeySchema": [
                    {"AttributeName": name, "KeyType": role}
                    for (name, _), role in zip(
                        table.key.attributes, ("HASH", "RANGE"), strict=False
                    )
                ],
                "BillingMode": table.billing,
                "StreamSpecification": table.stream_view and {"StreamViewType": table.stream_view},
                "TimeToLiveSpecification": table.expiry
                and {"AttributeName": table.expiry, "Enabled": True},
                "SSESpecification": encryption,
                "PointInTimeRecoverySpecification": {
                    "PointInTimeRecoveryEnabled": table.point_in_time_recovery
                },
                "DeletionProtectionEnabled": table.deletion_protection,
                "Tags": as_list(table.tags),
            },
            **HOLDS_DATA | keep,
        ),
    )


def queue(queue: Queue, references: References) -> Entries:
    logical_id = references.id_of(queue)
    yield (
        logical_id,
        body(
            "AWS::SQS::Queue",
            {
                "QueueName": queue.name,
                "MessageRetentionPeriod": queue.retention_seconds,
                "VisibilityTimeout": queue.visibility_seconds,
                "SqsManagedSseEnabled": queue.encrypted and not queue.kms_key,
                "KmsMasterKeyId": queue.kms_key,
                "Tags": as_list(queue.tags),
            },
            **HOLDS_DATA,
        ),
    )
    yield from _policy("AWS::SQS::QueuePolicy", "Queues", logical_id, queue.policy)


def topic(topic: Topic, references: References) -> Entries:
    logical_id = references.id_of(topic)
    yield (
        logical_id,
        body(
            "AWS::SNS::Topic",
            {
                "TopicName": topic.name,
                "KmsMasterKeyId": topic.kms_key,
                "Tags": as_list(topic.tags),
            },
        ),
    )
    yield from _policy("AWS::SNS::TopicPolicy", "Topics", logical_id, topic.policy)
    for queue in sorted(topic.subscribers):
        yield (
            f"{logical_id}To{references.id_of_arn(queue)}",
            body(
                "AWS::SNS::Subscription",
                {
                    "TopicArn": {"Ref": logical_id},
                    "Protocol": "sqs",
                    "Endpoint": references.arn(queue),
                    "RawMessageDelivery": topic.raw_delivery,
                },
            ),
        )


def _policy(kind: str, owners: str, owner: str, policy: Policy | None) -> Entries:
    if policy:
        yield (
            f"{owner}Policy",
            body(
                kind,
                {owners: [{"Ref": owner}], "PolicyDocument": substituted(policy.document)},
            ),
        )


def log_group(group: LogGroup, references: References) -> Entries:
    yield (
        f"{references.function_logging_to(group.name)}LogGroup",
        body(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": group.name,
                "RetentionInDays": group.retention_days,
                "Tags": as_list(group.tags),
            },
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        ),
    )
