"""What CloudFormation does for each type of resource, with the permissions of whoever deploys.

These are the actions that the handlers in AWS's schemas of the types name, without those that only
properties need which the template does not have (a data protection policy, a VPC, ...).
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import template
from iam.evaluation import Need

_TOPIC = "GetTopicAttributes SetTopicAttributes"
ACTIONS = {
    "AWS::Kinesis::Stream": "AddTagsToStream CreateStream DeleteStream DescribeStreamSummary "
    "ListTagsForStream RemoveTagsFromStream StartStreamEncryption",
    "AWS::DynamoDB::Table": "CreateTable DeleteTable DescribeContinuousBackups "
    "DescribeContributorInsights DescribeKinesisStreamingDestination DescribeTable "
    "DescribeTimeToLive ListTagsOfResource TagResource UntagResource UpdateContinuousBackups "
    "UpdateTable UpdateTimeToLive",
    "AWS::SQS::Queue": "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags "
    "SetQueueAttributes TagQueue UntagQueue",
    "AWS::SNS::Topic": f"CreateTopic DeleteTopic GetDataProtectionPolicy {_TOPIC} "
    "ListSubscriptionsByTopic ListTagsForResource TagResource UntagResource Subscribe Unsubscribe "
    "GetSubscriptionAttributes SetSubscriptionAttributes",
    "AWS::Lambda::Function": "CreateFunction DeleteFunction GetFunction GetFunctionConfiguration "
    "GetFunctionCodeSigningConfig GetRuntimeManagementConfig ListTags TagResource UntagResource "
    "UpdateFunctionCode UpdateFunctionConfiguration",
    "AWS::Lambda::EventSourceMapping": "GetEventSourceMapping UpdateEventSourceMapping "
    "DeleteEventSourceMapping",
    "AWS::Logs::LogGroup": "CreateLogGroup DeleteLogGroup GetDataProtectionPolicy "
    "ListTagsForResource PutRetentionPolicy TagResource UntagResource",
    "AWS::Pipes::Pipe": "CreatePipe DeletePipe DescribePipe ListTagsForResource TagResource "
    "UntagResource UpdatePipe",
    "AWS::CloudWatch::Alarm": "DeleteAlarms ListTagsForResource PutMetricAlarm TagResource "
    "UntagResource",
    "AWS::CloudWatch::Dashboard": "DeleteDashboards GetDashboard PutDashboard",
    "AWS::IAM::Role": "CreateRole DeleteRole DeleteRolePolicy GetRole GetRolePolicy "
    "ListAttachedRolePolicies ListRolePolicies PutRolePolicy TagRole UntagRole "
    "UpdateAssumeRolePolicy",
}
"""On the resource itself. Subscriptions and policies are those of their topics and queues."""

ON_ALL = (
    "kinesis:UpdateShardCount",
    "lambda:CreateEventSourceMapping",
    "lambda:ListEventSourceMappings",
    "logs:DescribeLogGroups",
)


def needs(resources: Mapping[str, Any], bucket: str) -> Iterator[Need]:
    """What creating, reading, updating and deleting these takes; the code is in `bucket`."""
    here = {"aws:RequestedRegion": template.REGION}
    for each in resources.values():
        kind, given = each["Type"], each["Properties"]
        for action in ACTIONS.get(kind, "").split():
            service = kind.split("::")[1].lower()
            yield Need(f"{service}:{action}", _arn(kind, given), {**here, **_context(kind, given)})
        role = {"AWS::Lambda::Function": "Role", "AWS::Pipes::Pipe": "RoleArn"}.get(kind)
        if role:
            service = kind.split("::")[1].lower()
            passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
            yield Need("iam:PassRole", given[role], {**here, **passed})
        if kind == "AWS::Lambda::EventSourceMapping":
            for action in ("ListTags", "TagResource", "UntagResource"):
                yield Need(f"lambda:{action}", _arn(kind, given), here)
        yield from _on_key(kind, given)
    yield from (Need(action, "*", here) for action in ON_ALL)
    yield Need("cloudwatch:DescribeAlarms", template.arn("cloudwatch", "alarm:*"), here)
    yield Need("s3:GetObject", f"arn:aws:s3:::{bucket}/inventory-0.zip", here)


def _on_key(kind: str, given: Mapping[str, Any]) -> Iterator[Need]:
    names = {
        "AWS::DynamoDB::Table": "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey",
        "AWS::Kinesis::Stream": "DescribeKey",
    }
    key = given.get("SSESpecification", {}).get("KMSMasterKeyId", "")
    key = key or given.get("StreamEncryption", {}).get("KeyId", "")
    service = kind.split("::")[1].lower()
    via = {"kms:ViaService": f"{service}.{template.REGION}.amazonaws.com"}
    for name in names.get(kind, "").split() if key.startswith("arn:") else ():
        yield Need(f"kms:{name}", key, via)


def _arn(kind: str, given: Mapping[str, Any]) -> str:
    match kind:
        case "AWS::Lambda::EventSourceMapping":
            return template.arn("lambda", "event-source-mapping:to-be-made")
        case "AWS::Pipes::Pipe":
            return template.arn("pipes", f"pipe/{given['Name']}")
        case "AWS::CloudWatch::Alarm":
            return template.arn("cloudwatch", f"alarm:{given['AlarmName']}")
        case "AWS::CloudWatch::Dashboard":
            return f"arn:aws:cloudwatch::{template.ACCOUNT}:dashboard/{given['DashboardName']}"
    name = given[template.NAMED_BY[kind]]
    return template.ARNS[kind].format(
        place=f"{template.REGION}:{template.ACCOUNT}", account=template.ACCOUNT, name=name
    )


def _context(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    if kind != "AWS::Lambda::EventSourceMapping":
        return {}
    return {"lambda:FunctionArn": template.arn("lambda", f"function:{given['FunctionName']}")}
