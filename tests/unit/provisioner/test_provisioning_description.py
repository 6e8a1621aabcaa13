"""The description of the resources, and their policies."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.limit import GRACE_MS, LEASE_MS
from provisioner import Names, Options
from provisioner.account import Account
from provisioner.description import description
from provisioner.policies import Policy
from provisioner.resources import (
    TAGS,
    EventSource,
    Function,
    LogGroup,
    Pipe,
    PublicTopic,
    Queue,
    QueueSource,
    Resource,
    Role,
    Stream,
    Table,
    TableSource,
    Topic,
)

ACCOUNT = Account("123456789012", "eu-west-1")
RESOURCES = description(Names(), Options(), ACCOUNT, "sha")
FUNCTION = "function inventory-processor"


def resource(kind: type[Resource], name: str | None = None) -> Any:
    [found] = [r for r in RESOURCES if type(r) is kind and name in (None, r.name)]
    return found


def resources(kind: type[Resource]) -> list[Any]:
    return [r for r in RESOURCES if type(r) is kind]


def test_it_holds_everything_that_the_pipeline_needs() -> None:
    assert [each.label for each in RESOURCES] == [
        "table product_inventory",
        "table inventory_removals",
        "queue inventory-pipe-dlq",
        "queue inventory-rejected",
        "log group /aws/lambda/inventory-processor",
        "role inventory-processor-role",
        "role inventory-pipe-role",
        "table inventory_alerts",
        "queue inventory-alerts",
        "log group /aws/lambda/inventory-alerts",
        "role inventory-alerts-role",
        "topic inventory-rejections",
        "topic inventory-dead-letters",
        "function inventory-processor",
        "function inventory-alerts",
        "stream realtimeInventoryProcessing",
        "pipe inventory-pipe",
        "topic inventory-failures",
        "event source queue inventory-alerts",
        "event source table product_inventory",
        "alarm inventory-lag",
        "alarm inventory-failed-records",
        "alarm inventory-function-errors",
        "alarm inventory-dead-letters",
        "alarm inventory-rejected-share",
        "dashboard inventory",
    ]


def test_everything_is_tagged_as_ours_and_with_its_stage() -> None:
    of_dev = description(Names(stage="dev"), Options(), ACCOUNT, "sha")

    assert all(each.tags == TAGS for each in RESOURCES)
    assert all(each.tags == {"project": "inventory-stack", "stage": "dev"} for each in of_dev)


def test_the_same_arguments_give_the_same_description() -> None:
    assert description(Names(), Options(), ACCOUNT, "sha") == RESOURCES


def test_what_a_resource_refers_to_is_described_and_made_before_it() -> None:
    stage = {each.arn: each.stage for each in RESOURCES}
    pipe = resource(Pipe)

    for needed in (pipe.source, pipe.target, pipe.role, pipe.dead_letters):
        assert stage[needed] < pipe.stage
    for function in resources(Function):
        assert stage[function.role] < function.stage
        assert resource(LogGroup, f"/aws/lambda/{function.name}").stage < function.stage
    for topic in resources(Topic):
        assert all(stage[queue] < topic.stage for queue in topic.subscribers)
    for mapping in (resource(QueueSource), resource(TableSource)):
        assert stage[mapping.source] < mapping.stage
        assert resource(Function, mapping.function).stage < mapping.stage
        assert resource(PublicTopic).stage < mapping.stage


def test_a_stream_is_made_once_its_records_can_be_taken() -> None:
    earlier = [r for kind in (Function, Topic, Table, LogGroup) for r in resources(kind)]
    assert all(each.stage < resource(Stream).stage for each in earlier)


def test_the_topic_for_people_gives_up_our_queues_when_nothing_sends_them_by_it_any_more() -> None:
    topic = resource(PublicTopic)

    assert topic.subscribers == frozenset()
    assert topic.queues == {each.arn for each in resources(Queue)}
    assert topic.stage > max(resource(Function, "inventory-processor").stage, resource(Pipe).stage)


def test_options_reach_the_resources_they_are_about() -> None:
    options = Options(
        stream_shards=7,
        batch_size=11,
        batching_window_seconds=3,
        max_retry_attempts=2,
        max_record_age_seconds=99,
        starting_position="LATEST",
        function_runtime="python3.12",
        function_memory_mb=512,
        function_timeout_seconds=17,
        removal_name_policy="enforce",
        log_retention_days=30,
    )

    made = {each.label: each for each in description(Names(), options, ACCOUNT, "sha")}

    stream, function = made["stream realtimeInventoryProcessing"], made[FUNCTION]
    pipe, group = made["pipe inventory-pipe"], made["log group /aws/lambda/inventory-alerts"]
    assert isinstance(stream, Stream)
    assert stream.shards == 7
    assert isinstance(function, Function)
    assert (function.runtime, function.memory_mb, function.timeout_seconds) == (
        "python3.12",
        512,
        17,
    )
    assert function.environment["REMOVAL_NAME_POLICY"] == "enforce"
    assert isinstance(group, LogGroup)
    assert group.retention_days == 30
    assert isinstance(pipe, Pipe)
    assert (pipe.batch_size, pipe.batching_window_seconds, pipe.starting_position) == (
        11,
        3,
        "LATEST",
    )
    assert (pipe.max_retry_attempts, pipe.max_record_age_seconds) == (2, 99)


def test_the_function_is_told_where_to_write() -> None:
    assert resource(Function, "inventory-processor").environment == {
        "TABLE_NAME": "product_inventory",
        "REMOVALS_TABLE_NAME": "inventory_removals",
        "FAILURES_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:inventory-rejections",
        "REMOVAL_NAME_POLICY": "ignore",
        "POWERTOOLS_SERVICE_NAME": "inventory-processor",
        "POWERTOOLS_METRICS_NAMESPACE": "Inventory",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_alerts_function_is_told_what_it_works_with() -> None:
    assert resource(Function, "inventory-alerts").environment == {
        "ALERTS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:inventory-failures",
        "ALERTS_TABLE_NAME": "inventory_alerts",
        "ALERTS_QUEUE_NAME": "inventory-alerts",
        "STREAM_NAME": "realtimeInventoryProcessing",
        "LOW_STOCK": "off",
        "HIGH_STOCK": "1000",
    }


def test_a_message_that_was_not_handled_comes_again_when_the_functions_rules_say() -> None:
    function, queue = resource(Function, "inventory-alerts"), resource(Queue, "inventory-alerts")

    lost_after = function.timeout_seconds * 1000 + LEASE_MS + GRACE_MS
    assert queue.visibility_seconds * 1000 > lost_after


def test_the_table_shows_both_images_in_its_stream() -> None:
    table = resource(Table, "product_inventory")

    assert str(table.key) == "product_id (S)"
    assert (table.billing, table.stream_view) == ("PAY_PER_REQUEST", "NEW_AND_OLD_IMAGES")


def test_arns_follow_the_partition_of_the_caller() -> None:
    account = Account.of_caller("arn:aws-cn:iam::42:root", "42", "cn-north-1")

    resources = description(Names(), Options(), account, "sha")

    arns = [each.arn for each in resources if not isinstance(each, EventSource)]
    assert all(arn.startswith("arn:aws-cn:") for arn in arns)


def statements() -> Iterator[dict[str, Any]]:
    for each in RESOURCES:
        for policy in (getattr(each, "policy", None), getattr(each, "trust", None)):
            if policy is not None:
                yield from policy.statements


def test_no_policy_has_a_wildcard_action() -> None:
    actions = [s["Action"] for s in statements() if s["Effect"] == "Allow"]
    flat = [a for action in actions for a in ([action] if isinstance(action, str) else action)]

    assert flat
    assert not [action for action in flat if "*" in action]


def test_the_only_wildcards_of_resources_are_the_streams_of_a_log_group_and_of_a_table() -> None:
    wild = {s["Resource"]: s["Action"] for s in statements() if "*" in s.get("Resource", "")}

    assert wild.pop("*") == ["dynamodb:ListStreams"]  # which can be granted on nothing less
    assert wild.keys() == {
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/inventory-processor:*",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/inventory-alerts:*",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/product_inventory/stream/*",
    }


def test_policies_name_resources_of_the_description_only() -> None:
    known = {each.arn for each in RESOURCES} | {"*"}

    named = {s["Resource"] for s in statements() if "Resource" in s}

    assert {name.removesuffix(":*").removesuffix("/stream/*") for name in named} <= known


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("inventory-processor-role", "lambda.amazonaws.com"),
        ("inventory-alerts-role", "lambda.amazonaws.com"),
        ("inventory-pipe-role", "pipes.amazonaws.com"),
    ],
)
def test_a_role_is_assumed_by_its_service_for_this_account_only(role: str, service: str) -> None:
    [statement] = resource(Role, role).trust.statements

    assert statement["Principal"] == {"Service": service}
    assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT.id


@pytest.mark.parametrize("name", ["inventory-processor", "inventory-alerts"])
def test_a_functions_role_is_for_this_function_only_where_lambda_says_for_which(name: str) -> None:
    """Demanded outright, aws:SourceArn could keep Lambda, which need not send it, out."""
    [statement] = resource(Role, f"{name}-role").trust.statements
    function = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"

    assert statement["Condition"]["ArnLikeIfExists"]["aws:SourceArn"] == [
        function,
        f"{function}:*",
        "arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:*",
    ]


def test_the_pipes_role_is_for_this_pipe_only() -> None:
    [statement] = resource(Role, "inventory-pipe-role").trust.statements

    assert statement["Condition"]["StringEquals"]["aws:SourceArn"] == resource(Pipe).arn


@pytest.mark.parametrize(
    ("name", "topics"),
    [
        ("inventory-rejected", ["inventory-rejections"]),
        ("inventory-pipe-dlq", ["inventory-dead-letters"]),
        ("inventory-alerts", ["inventory-rejections", "inventory-dead-letters"]),
    ],
)
def test_exactly_the_topics_that_a_queue_is_subscribed_to_may_send_to_it(
    name: str, topics: list[str]
) -> None:
    queue = resource(Queue, name)
    [statement, _] = queue.policy.statements

    assert [t.name for t in resources(Topic) if queue.arn in t.subscribers] == topics

    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {
            "ArnEquals": {"aws:SourceArn": [resource(Topic, each).arn for each in topics]}
        },
    }


@pytest.mark.parametrize("kind", [Queue, Topic])
def test_queues_and_topics_refuse_what_does_not_come_over_tls(kind: type[Queue | Topic]) -> None:
    for each in (r for r in RESOURCES if isinstance(r, kind)):
        assert each.policy is not None
        [deny] = [s for s in each.policy.statements if s["Effect"] == "Deny"]
        assert deny["Principal"] == "*"
        assert deny["Resource"] == each.arn
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_nothing_is_allowed_to_the_public() -> None:
    allowed = [s for s in statements() if s["Effect"] == "Allow" and "Principal" in s]

    assert allowed
    assert all(s["Principal"].keys() == {"Service"} and s["Condition"] for s in allowed)


def test_only_alarms_of_this_account_may_publish_to_the_topic_for_people_by_themselves() -> None:
    [allow, _] = resource(PublicTopic).policy.statements

    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT.id},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"},
    }


KEY = "arn:aws:kms:eu-west-1:123456789012:key/2f6e1d1a-7a0c-4d8e-9d53-5a4b9a3b8a11"
ENCRYPTED = description(Names(), Options(kms_key=KEY), ACCOUNT, "sha")


def test_without_a_key_of_ones_own_awss_encrypt_and_no_role_needs_to_be_let_use_them() -> None:
    keys = {each.label: each.kms_key for each in RESOURCES if hasattr(each, "kms_key")}

    assert keys.pop("stream realtimeInventoryProcessing") == "alias/aws/kinesis"
    assert set(keys.values()) == {None}
    assert all(queue.encrypted for queue in resources(Queue))
    assert not [s for s in statements() if "kms:" in json.dumps(s)]


def test_a_key_of_ones_own_encrypts_whatever_keeps_data() -> None:
    keys = [(each.kind, each.kms_key) for each in ENCRYPTED if hasattr(each, "kms_key")]

    assert sorted(keys) == sorted(
        (each.kind, KEY) for each in RESOURCES if isinstance(each, Stream | Table | Queue | Topic)
    )


@pytest.mark.parametrize(
    ("role", "reads", "sends"),
    [
        ("inventory-processor-role", ["dynamodb", "sns"], ["sns"]),
        ("inventory-pipe-role", ["kinesis", "sns"], ["sns"]),
        ("inventory-alerts-role", ["dynamodb", "kinesis", "sns", "sqs"], ["sns", "sqs"]),
    ],
)
def test_a_role_may_use_the_key_through_the_services_it_works_with_alone(
    role: str, reads: list[str], sends: list[str]
) -> None:
    [policy] = [each.policy for each in ENCRYPTED if isinstance(each, Role) and each.name == role]
    assert policy is not None

    found = {s["Action"][0]: s for s in policy.statements if "kms:" in s["Action"][0]}

    assert found.keys() == {"kms:Decrypt", "kms:GenerateDataKey"}
    for action, services in (("kms:Decrypt", reads), ("kms:GenerateDataKey", sends)):
        assert found[action]["Resource"] == KEY
        assert found[action]["Condition"] == {
            "StringEquals": {
                "kms:ViaService": [f"{service}.eu-west-1.amazonaws.com" for service in services]
            }
        }


def test_only_the_table_with_the_rows_is_recoverable_and_protected_and_only_when_asked() -> None:
    options = Options(point_in_time_recovery=True, deletion_protection=True)

    def kept(described: Iterable[Any]) -> list[str]:
        tables = [each for each in described if isinstance(each, Table)]
        return [t.name for t in tables if t.point_in_time_recovery and t.deletion_protection]

    assert kept(description(Names(), options, ACCOUNT, "sha")) == ["product_inventory"]
    assert kept(RESOURCES) == []


@given(st.randoms(use_true_random=False))
def test_a_policy_written_differently_is_the_same_policy(shuffle: random.Random) -> None:
    policy = resource(Role, "inventory-processor-role").policy

    again = Policy.from_json(Policy(_rewritten(policy.document, shuffle)).to_json())

    assert again == policy
    assert hash(again) == hash(policy)


def _rewritten(node: Any, shuffle: random.Random) -> Any:
    """Keys and strings in another order, a list of one as its element or the other way round."""
    if isinstance(node, dict):
        keys = list(node)
        shuffle.shuffle(keys)
        return {key: _rewritten(node[key], shuffle) for key in keys}
    if isinstance(node, list) and all(isinstance(item, str) for item in node):
        items = copy.copy(node)
        shuffle.shuffle(items)
        return items[0] if len(items) == 1 and shuffle.random() < 0.5 else items
    if isinstance(node, list):
        return [_rewritten(item, shuffle) for item in node]
    return node


def test_a_policy_that_allows_more_is_another_policy() -> None:
    policy = resource(Role, "inventory-processor-role").policy
    wider = copy.deepcopy(policy.document)
    wider["Statement"][0]["Action"].append("dynamodb:DeleteTable")

    assert Policy(wider) != policy
