"""IAM policy documents: who may do exactly what to exactly which resource."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from provisioner.account import Account

Statement = Mapping[str, Any]
Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy document. Two are equal when they mean the same, however they are written."""

    document: Mapping[str, Any]

    @classmethod
    def of(cls, *statements: Statement) -> Self:
        return cls({"Version": "2012-10-17", "Statement": list(statements)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(json.loads(text))

    def to_json(self) -> str:
        return json.dumps(self.document)

    @property
    def statements(self) -> Sequence[Statement]:
        statements: Sequence[Statement] = self.document["Statement"]
        return statements

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and _canonical(self.document) == _canonical(other.document)

    def __hash__(self) -> int:
        return hash(json.dumps(_canonical(self.document), sort_keys=True))


def allow(actions: Sequence[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def trust(service: str, conditions: Conditions) -> Policy:
    """Lets `service` assume the role, on behalf of those alone that `conditions` name."""
    return Policy.of(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": conditions,
        }
    )


def lambda_trust(account: Account, function: str) -> Policy:
    """Lets Lambda assume the role for this account, and for this function where it says which.

    Of the role of a function AWS documents no aws:SourceArn: to demand it could keep the function
    from being made. So it holds if it is there: the function, a version of it, or what Lambda polls
    for it, a mapping whose ARN nobody knows beforehand.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    sources = [function, f"{function}:*", account.arn("lambda", "event-source-mapping:*")]
    return trust(
        "lambda.amazonaws.com",
        {
            "StringEquals": {"aws:SourceAccount": account.id},
            "ArnLikeIfExists": {"aws:SourceArn": sources},
        },
    )


@dataclass(frozen=True)
class KeyAccess:
    """What a role needs of the `key` that things are encrypted with; nothing of AWS's own keys.

    It may use it through the services alone that hold the data for it.
    """

    account: Account
    key: str | None

    def statements(self, *, reads: Sequence[str], writes: Sequence[str] = ()) -> list[Statement]:
        """To read needs Decrypt, to send GenerateDataKey as well (but not to write to a table).

        https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        if self.key is None:
            return []
        used = {"kms:Decrypt": [*reads, *writes], "kms:GenerateDataKey": list(writes)}
        return [
            {
                **allow([action], self.key),
                "Condition": {
                    "StringEquals": {
                        "kms:ViaService": [
                            self.account.endpoint(s) for s in dict.fromkeys(services)
                        ]
                    }
                },
            }
            for action, services in used.items()
            if services
        ]


def function_access(
    table: str, removals: str, topic: str, log_group: str, key: KeyAccess
) -> Policy:
    """What the function does; TransactWriteItems is authorised as the writes it is made of."""
    return Policy.of(
        allow(
            [
                "dynamodb:BatchGetItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
            ],
            table,
        ),
        allow(
            ["dynamodb:ConditionCheckItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"], removals
        ),
        allow(["sns:Publish"], topic),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group}:*"),
        *key.statements(reads=["dynamodb"], writes=["sns"]),
    )


def alerts_access(
    *,
    stream: str,
    table: str,
    tallies: str,
    queue: str,
    topic: str,
    log_group: str,
    key: KeyAccess,
) -> Policy:
    """What the alerts function does, and what Lambda does in its name to poll queue and table.

    ListStreams, which Lambda demands, can be granted on "*" only.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    """
    return Policy.of(
        allow(
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:SendMessage",
            ],
            queue,
        ),
        allow(
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            f"{table}/stream/*",
        ),
        allow(["dynamodb:ListStreams"], "*"),
        allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], tallies),
        allow(["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"], stream),
        allow(["sns:Publish"], topic),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group}:*"),
        *key.statements(reads=["dynamodb", "kinesis"], writes=["sns", "sqs"]),
    )


def pipe_access(stream: str, function: str, dead_letters: str, key: KeyAccess) -> Policy:
    """What a pipe needs for a Kinesis source, a Lambda target and a topic for dead letters.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html has two more
    for Kinesis: ListStreams, which can be granted on "*" only, and SubscribeToShard, which is for
    consumers with enhanced fan-out. A pipe that is given its stream by ARN needs neither.
    """
    return Policy.of(
        allow(
            [
                "kinesis:DescribeStream",
                "kinesis:DescribeStreamSummary",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
            ],
            stream,
        ),
        allow(["lambda:InvokeFunction"], function),
        allow(["sns:Publish"], dead_letters),
        *key.statements(reads=["kinesis"], writes=["sns"]),
    )


def queue_policy(queue: str, *topics: str) -> Policy:
    """Lets exactly these topics send to the queue, and nobody use it but over TLS."""
    return Policy.of(
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": list(topics)}},
        },
        _over_tls_alone("sqs:*", queue),
    )


def topic_policy(topic: str, *statements: Statement) -> Policy:
    """Lets nobody publish but over TLS; who may is said in the policies of the roles.

    https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html
    """
    return Policy.of(*statements, _over_tls_alone("sns:Publish", topic))


def public_topic_policy(topic: str, account: Account) -> Policy:
    """Likewise, but for the alarms of this account, for which CloudWatch publishes by itself."""
    return topic_policy(
        topic,
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account.id},
                "ArnLike": {"aws:SourceArn": account.arn("cloudwatch", "alarm:*")},
            },
        },
    )


def _over_tls_alone(action: str, resource: str) -> Statement:
    """Emulators, which speak plain HTTP, do not evaluate it."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _canonical(node: Any) -> Any:
    """A list of one is its element, and the order of strings in a list has no meaning to IAM.

    Nor has the case of an action's letters, and {"AWS": "*"} is "*".
    """
    if isinstance(node, Mapping):
        return {key: _canonical_member(key, value) for key, value in node.items()}
    if isinstance(node, list):
        items = [_canonical(item) for item in node]
        if len(items) == 1:
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return node


def _canonical_member(key: str, value: Any) -> Any:
    canonical = _canonical(value)
    if key == "Action":
        actions = canonical if isinstance(canonical, list) else [canonical]
        return _canonical([str(action).lower() for action in actions])
    return "*" if key == "Principal" and canonical == {"AWS": "*"} else canonical
