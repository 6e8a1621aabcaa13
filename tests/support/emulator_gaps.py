"""What an emulator takes from the template, and does not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from inventory_aws.names import Names

AwsClient = Callable[[str], Any]

GAPS: dict[str, set[str]] = {
    "MiniStack": {
        "Inventory.PointInTimeRecoverySpecification",
        "Removals.TimeToLiveSpecification",
        "Stream.StreamEncryption",
    },
    "LocalStack": {
        "Dashboard",
        "Inventory.PointInTimeRecoverySpecification",
        "Inventory.Tags",
        "ProcessorLogs.RetentionInDays",
        "Stream.StreamEncryption",
        "Stream.Tags",
    },
}
"""docs/deploy.md has them too."""

SETTINGS = {"POINT_IN_TIME_RECOVERY": "on", "LOG_RETENTION_DAYS": "3"}
"""Variables for a pipeline that shows them."""


def gaps(client: AwsClient, names: Names) -> set[str]:
    """Those of a pipeline with `SETTINGS`, by properties of the template."""
    return {gap for gap, done in _looks(client, names) if not done}


def _looks(client: AwsClient, names: Names) -> Iterator[tuple[str, bool]]:
    kinesis, dynamodb, logs = client("kinesis"), client("dynamodb"), client("logs")
    sqs, iam, lambda_ = client("sqs"), client("iam"), client("lambda")
    cloudwatch = client("cloudwatch")
    prefix = names.table.removesuffix(Names.table)
    summary = kinesis.describe_stream_summary(StreamName=names.stream)["StreamDescriptionSummary"]
    yield "Stream.ShardCount", summary["OpenShardCount"] == 2
    yield "Stream.StreamEncryption", summary.get("EncryptionType") == "KMS"
    tags = kinesis.list_tags_for_stream(StreamName=names.stream)["Tags"]
    yield "Stream.Tags", {"Key": "stage", "Value": names.stage} in tags
    table = dynamodb.describe_table(TableName=names.table)["Table"]
    yield "Inventory.StreamSpecification", table["StreamSpecification"]["StreamEnabled"]
    tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    yield "Inventory.Tags", {"Key": "stage", "Value": names.stage} in tags
    backups = dynamodb.describe_continuous_backups(TableName=names.table)
    recovery = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    yield (
        "Inventory.PointInTimeRecoverySpecification",
        recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
    )
    expiry = dynamodb.describe_time_to_live(TableName=names.removals_table)
    status = expiry["TimeToLiveDescription"]["TimeToLiveStatus"]
    yield "Removals.TimeToLiveSpecification", status in ("ENABLED", "ENABLING")
    group = f"/aws/lambda/{names.function}"
    [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    yield "ProcessorLogs.RetentionInDays", found.get("retentionInDays") == 3
    url = sqs.get_queue_url(QueueName=names.dead_letter_queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    yield (
        "DeadLetterQueue.MessageRetentionPeriod",
        (attributes["MessageRetentionPeriod"] == "1209600"),
    )
    yield "DeadLetterQueuePolicy", "aws:SecureTransport" in attributes.get("Policy", "")
    role = iam.get_role_policy(RoleName=f"{prefix}inventory-processor-role", PolicyName="access")
    yield "ProcessorRole.Policies", "dynamodb:BatchGetItem" in str(role["PolicyDocument"])
    mappings = lambda_.list_event_source_mappings(FunctionName=names.alerts_function)
    yield "AlertsRead*", len(mappings["EventSourceMappings"]) == 2
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=f"{prefix}inventory-")["MetricAlarms"]
    yield "*Alarm", len(alarms) == 5
    dashboards = cloudwatch.list_dashboards(DashboardNamePrefix=f"{prefix}inventory")
    yield "Dashboard", len(dashboards["DashboardEntries"]) == 1
