"""The template: what a linter says of it, and what it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.processor.test_fuzz_function import World
from tests.unit.processor.test_processor import added

import template
from deploy.settings import TEMPLATE
from hostile_events import flat
from iam.deployment import PEOPLE
from inventory_aws.names import Names

KEY = "arn:aws:kms:us-east-1:123456789012:key/2f6e1d1a-7a0c-4d8e-9d53-5a4b9a3b8a11"
RESOURCES = template.resources()
ENCRYPTED = template.resources(KmsKeyArn=KEY)
QUEUES = {"DeadLetterQueue", "RejectedQueue", "AlertsQueue"}
TOPICS = {"DeadLetters", "Rejections", "Failures"}


def properties(name: str, resources: Mapping[str, Any] = RESOURCES) -> dict[str, Any]:
    found: dict[str, Any] = resources[name]["Properties"]
    return found


def of_type(kind: str, resources: Mapping[str, Any] = RESOURCES) -> dict[str, dict[str, Any]]:
    return {
        name: each["Properties"]
        for name, each in resources.items()
        if each["Type"] == f"AWS::{kind}"
    }


def statements(name: str, resources: Mapping[str, Any] = RESOURCES) -> list[dict[str, Any]]:
    """Those of a role, or of the policy of a queue or topic."""
    found = properties(name, resources)
    documents = [each["PolicyDocument"] for each in found.get("Policies", [found])]
    return [each for document in documents for each in document["Statement"]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("file", [TEMPLATE, PEOPLE], ids=lambda file: file.name)
def test_cfn_lint_accepts_the_template(file: Path) -> None:
    """Among its rules are those for policies, with AWS's lists of all actions."""
    from cfnlint.api import lint  # it takes seconds to import, and each worker collects this file
    from cfnlint.config import ManualArgs

    found = lint(
        file.read_text(), config=ManualArgs(regions=[template.REGION], include_checks=["I3510"])
    )

    assert [str(match) for match in found] == []


def test_the_template_fits_into_a_request() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    assert len(TEMPLATE.read_bytes()) < 51_200


def test_the_resources_have_the_names_that_the_programs_use() -> None:
    names = Names.from_env({"STAGE": "dev"})
    dev = template.resources({"STAGE": "dev"})

    assert [
        properties(name, dev)[template.NAMED_BY[dev[name]["Type"]]]
        for name in (
            *("Stream", "Inventory", "Removals", "Processor", "DeadLetterQueue", "RejectedQueue"),
            *("Failures", "Alerts"),
        )
    ] == [
        *(names.stream, names.table, names.removals_table, names.function),
        *(names.dead_letter_queue, names.rejected_queue),
        *(names.topic, names.alerts_function),
    ]
    assert properties("Pipe", dev)["Name"] == names.pipe


def test_every_name_of_a_stage_begins_with_it() -> None:
    default, dev = RESOURCES, template.resources({"STAGE": "dev"})
    for name, kind in ((name, each["Type"]) for name, each in default.items()):
        if named := template.NAMED_BY.get(kind):
            before, after = properties(name)[named], properties(name, dev)[named]
            folder = "/aws/lambda/" if kind == "AWS::Logs::LogGroup" else ""
            assert after == f"{folder}dev-{before.removeprefix(folder)}"


def test_policies_for_people_are_limited_to_the_stage() -> None:
    default, dev = (
        [
            arn
            for policy in template.resources_of(PEOPLE, parameters).values()
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            for arn in listed(statement["Resource"])
        ]
        for parameters in ({}, {"NamePrefix": "dev-"})
    )
    named = r"(?<=[/:])(?=inventory|product_inventory|realtimeInventoryProcessing)"
    assert dev == [re.sub(named, "dev-", arn) for arn in default]
    assert {arn for arn in default if arn in dev} == {
        "*",
        template.arn("cloudwatch", "alarm:*"),
        template.arn("lambda", "event-source-mapping:*"),
    }


def test_beside_an_emulator_the_stack_has_everything_but_the_pipe() -> None:
    rest = template.resources(PipesHaveOwnEndpoint="true")

    assert RESOURCES.keys() - rest.keys() == {"Pipe"}


def test_settings_reach_their_resources() -> None:
    made = template.resources(
        {
            "STREAM_SHARDS": "7",
            "BATCH_SIZE": "11",
            "BATCHING_WINDOW_SECONDS": "3",
            "MAX_RETRY_ATTEMPTS": "2",
            "MAX_RECORD_AGE_SECONDS": "99",
            "STARTING_POSITION": "LATEST",
            "FUNCTION_RUNTIME": "python3.12",
            "FUNCTION_MEMORY_MB": "512",
            "FUNCTION_TIMEOUT_SECONDS": "17",
            "REMOVAL_NAME_POLICY": "enforce",
            "LOW_STOCK": "5",
            "HIGH_STOCK": "off",
            "LAG_ALARM_SECONDS": "8",
            "REJECTED_SHARE_ALARM_PERCENT": "3",
            "LOG_RETENTION_DAYS": "30",
            "POINT_IN_TIME_RECOVERY": "on",
            "DELETION_PROTECTION": "on",
        }
    )

    assert properties("Stream", made)["ShardCount"] == "7"
    assert properties("Pipe", made)["SourceParameters"]["KinesisStreamParameters"] == {
        "StartingPosition": "LATEST",
        "BatchSize": "11",
        "MaximumBatchingWindowInSeconds": "3",
        "MaximumRetryAttempts": "2",
        "MaximumRecordAgeInSeconds": "99",
        "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
        "DeadLetterConfig": {"Arn": template.arn("sns", "inventory-dead-letters")},
    }
    function = properties("Processor", made)
    assert (function["Runtime"], function["MemorySize"], function["Timeout"]) == (
        *("python3.12", "512"),
        "17",
    )
    assert function["Environment"]["Variables"]["REMOVAL_NAME_POLICY"] == "enforce"
    alerts = properties("Alerts", made)["Environment"]["Variables"]
    assert (alerts["LOW_STOCK"], alerts["HIGH_STOCK"]) == ("5", "off")
    assert properties("LagAlarm", made)["Threshold"] == "8"
    assert properties("RejectedShareAlarm", made)["Threshold"] == "3"
    assert {each["RetentionInDays"] for each in of_type("Logs::LogGroup", made).values()} == {"30"}
    for name, table in of_type("DynamoDB::Table", made).items():
        kept = table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
        assert (kept, table.get("DeletionProtectionEnabled")) == (
            (True, True) if name == "Inventory" else (None, None)
        )


def test_the_functions_have_their_environment_variables() -> None:
    assert properties("Processor")["Environment"]["Variables"] == {
        "TABLE_NAME": "product_inventory",
        "REMOVALS_TABLE_NAME": "inventory_removals",
        "FAILURES_TOPIC_ARN": template.arn("sns", "inventory-rejections"),
        "REMOVAL_NAME_POLICY": "ignore",
        "POWERTOOLS_SERVICE_NAME": "inventory-processor",
    }
    assert properties("Alerts")["Environment"]["Variables"] == {
        "ALERTS_TOPIC_ARN": template.arn("sns", "inventory-failures"),
        "STREAM_NAME": "realtimeInventoryProcessing",
        "LOW_STOCK": "off",
        "HIGH_STOCK": "1000",
    }


def test_lambda_has_time_to_retry_a_throttled_batch_of_alerts() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    window = properties("AlertsReadQueue")["MaximumBatchingWindowInSeconds"]
    enough = 6 * properties("Alerts")["Timeout"] + window
    assert properties("AlertsQueue")["VisibilityTimeout"] >= enough


def test_the_table_shows_both_images_in_its_stream() -> None:
    assert properties("Inventory")["StreamSpecification"] == {
        "StreamViewType": "NEW_AND_OLD_IMAGES"
    }


def test_resources_with_data_are_kept_if_they_are_replaced() -> None:
    kinds = ("Kinesis::Stream", "DynamoDB::Table", "SQS::Queue")
    data = [name for kind in kinds for name in of_type(kind)]

    assert {RESOURCES[name]["UpdateReplacePolicy"] for name in data} == {"Retain"}


# --- policies -------------------------------------------------------------------------------------

ROLES = ("ProcessorRole", "PipeRole", "AlertsRole")
POLICIES = [*ROLES, *(f"{name}Policy" for name in sorted(QUEUES | TOPICS))]


def test_roles_have_wildcards_only_for_list_streams_and_their_log() -> None:
    for role in ROLES:
        for statement in statements(role, ENCRYPTED):
            actions, [resource] = listed(statement["Action"]), listed(statement["Resource"])
            assert not [action for action in actions if "*" in action]
            if resource == "*":
                assert actions == ["dynamodb:ListStreams"]  # which can be granted on nothing less
            elif "*" in resource:
                assert resource.startswith(template.arn("logs", "log-group:/aws/lambda/inventory-"))
                assert resource.endswith(":*")


@pytest.mark.parametrize(
    ("role", "service", "arns"),
    [
        (
            "ProcessorRole",
            "lambda",
            ["function:inventory-processor", "function:inventory-processor:*"],
        ),
        ("AlertsRole", "lambda", ["function:inventory-alerts", "function:inventory-alerts:*"]),
        ("PipeRole", "pipes", ["pipe/inventory-pipe"]),
    ],
)
def test_a_role_is_assumed_by_its_service_for_its_resource_of_this_account(
    role: str, service: str, arns: list[str]
) -> None:
    """Lambda need not send aws:SourceArn: demanded outright, it could keep Lambda out."""
    [statement] = properties(role)["AssumeRolePolicyDocument"]["Statement"]
    condition = statement["Condition"]

    assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
    assert condition["StringEquals"]["aws:SourceAccount"] == template.ACCOUNT
    exact = service == "pipes"
    expected = [template.arn(service, each) for each in arns]
    if not exact:
        expected.append(template.arn("lambda", "event-source-mapping:*"))
    found = condition["StringEquals" if exact else "ArnLikeIfExists"]["aws:SourceArn"]
    assert listed(found) == expected


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_exactly_the_topics_that_a_queue_is_subscribed_to_may_send_to_it(queue: str) -> None:
    arn = template.arn("sqs", properties(queue)["QueueName"])
    subscribed = [s for s in of_type("SNS::Subscription").values() if s["Endpoint"] == arn]
    [allow, _] = statements(f"{queue}Policy")

    assert all(each["RawMessageDelivery"] for each in subscribed)
    topics = listed(allow["Condition"]["ArnEquals"].pop("aws:SourceArn"))
    assert sorted(topics) == sorted(each["TopicArn"] for each in subscribed)
    assert allow == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {}},
    }


@pytest.mark.parametrize("name", sorted(QUEUES | TOPICS))
def test_queues_and_topics_require_tls(name: str) -> None:
    service = "sqs" if name in QUEUES else "sns"
    named = properties(name)["QueueName" if name in QUEUES else "TopicName"]
    [deny] = [s for s in statements(f"{name}Policy") if s["Effect"] == "Deny"]

    assert deny["Principal"] == "*"
    assert deny["Action"] == ("sqs:*" if name in QUEUES else "sns:Publish")
    assert deny["Resource"] == template.arn(service, named)
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_nothing_is_allowed_to_the_public() -> None:
    allowed = [
        s for name in POLICIES for s in statements(name) if s["Effect"] == "Allow"
    ]  # those of roles name no principal

    assert all(s["Principal"].keys() == {"Service"} for s in allowed if "Principal" in s)
    assert all(s["Condition"] for s in allowed if "Principal" in s)


def test_only_alarms_of_this_account_may_publish_to_the_topic_for_people() -> None:
    [allow, _] = statements("FailuresPolicy")

    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {
        "StringEquals": {"aws:SourceAccount": template.ACCOUNT},
        "ArnLike": {"aws:SourceArn": template.arn("cloudwatch", "alarm:*")},
    }


# --- encryption -----------------------------------------------------------------------------------


def keys(resources: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        name: each["StreamEncryption"]["KeyId"]
        for name, each in of_type("Kinesis::Stream", resources).items()
    }
    for name, each in of_type("DynamoDB::Table", resources).items():
        found[name] = each["SSESpecification"].get("KMSMasterKeyId")
    for kind in ("SQS::Queue", "SNS::Topic"):
        found |= {n: each.get("KmsMasterKeyId") for n, each in of_type(kind, resources).items()}
    return found


def test_without_a_key_of_your_own_no_role_has_kms_permissions() -> None:
    found = keys(RESOURCES)

    assert found.pop("Stream") == "alias/aws/kinesis"
    assert set(found.values()) == {None}
    assert all(each["SqsManagedSseEnabled"] for each in of_type("SQS::Queue").values())
    assert "kms:" not in json.dumps([statements(role) for role in ROLES])


def test_a_key_of_your_own_encrypts_everything_that_keeps_data() -> None:
    found = keys(ENCRYPTED)

    assert set(found.values()) == {KEY}
    assert len(found) == 1 + 2 + len(QUEUES) + len(TOPICS)


@pytest.mark.parametrize(
    ("role", "reads", "sends"),
    [
        ("ProcessorRole", ["dynamodb", "sns"], ["sns"]),
        ("PipeRole", ["kinesis", "sns"], ["sns"]),
        ("AlertsRole", ["dynamodb", "kinesis", "sns", "sqs"], ["sns"]),
    ],
)
def test_a_role_may_use_the_key_only_through_its_services(
    role: str, reads: list[str], sends: list[str]
) -> None:
    found = {s["Action"]: s for s in statements(role, ENCRYPTED) if "kms:" in s["Action"]}

    assert found.keys() == {"kms:Decrypt", "kms:GenerateDataKey"}
    for action, services in (("kms:Decrypt", reads), ("kms:GenerateDataKey", sends)):
        assert found[action]["Resource"] == KEY
        assert listed(found[action]["Condition"]["StringEquals"]["kms:ViaService"]) == [
            f"{service}.us-east-1.amazonaws.com" for service in services
        ]


# --- monitoring -----------------------------------------------------------------------------------

Metric = tuple[str, str, str, str]


def widgets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(properties("Dashboard")["DashboardBody"])["widgets"]
    return found


def watched() -> Iterator[Metric]:
    for widget in widgets():
        for namespace, name, dimension, value, _ in widget["properties"]["metrics"]:
            yield namespace, name, dimension, value
    for alarm in of_type("CloudWatch::Alarm").values():
        [dimension] = alarm["Dimensions"]
        yield alarm["Namespace"], alarm["MetricName"], dimension["Name"], dimension["Value"]


def test_alarms_and_dashboard_use_metrics_that_the_function_writes() -> None:
    world = World()
    world.call([flat(1, added(1).payload())])
    [told] = json.loads(world.metrics.getvalue())["_aws"]["CloudWatchMetrics"]
    assert told["Dimensions"] == [["service"]]
    reported = {metric["Name"] for metric in told["Metrics"]}
    ours = [metric for metric in watched() if metric[0] == told["Namespace"]]
    assert {name for _, name, _, _ in ours} <= reported
    assert {metric[2:] for metric in ours} == {("service", "inventory-processor")}


def test_every_alarm_publishes_on_the_topic_for_people() -> None:
    alarms = of_type("CloudWatch::Alarm").values()
    topic = template.arn("sns", "inventory-failures")
    assert [each["AlarmActions"] for each in alarms] == [[topic]] * 5
    assert all(each["DatapointsToAlarm"] <= each["EvaluationPeriods"] for each in alarms)


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    places = [(w["x"], w["y"], w["width"], w["height"]) for w in widgets()]
    squares = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]
    assert len(set(squares)) == len(squares)
    assert all(x + w <= 24 for x, _, w, _ in places)
