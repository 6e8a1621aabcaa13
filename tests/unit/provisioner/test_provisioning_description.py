"""The description of the resources, and their policies."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import Names, Options
from provisioner.account import Account
from provisioner.description import description
from provisioner.policies import Policy
from provisioner.resources import (
    TAGS,
    Function,
    LogGroup,
    Pipe,
    Queue,
    Resource,
    Role,
    Stream,
    Table,
    Topic,
)

ACCOUNT = Account("123456789012", "eu-west-1")
RESOURCES = description(Names(), Options(), ACCOUNT, "sha")


def resource(kind: type[Resource], name: str | None = None) -> Any:
    [found] = [r for r in RESOURCES if type(r) is kind and name in (None, r.name)]
    return found


def test_it_holds_everything_that_the_pipeline_needs() -> None:
    assert [each.label for each in RESOURCES] == [
        "table product_inventory",
        "queue inventory-pipe-dlq",
        "queue inventory-rejected",
        "log group /aws/lambda/inventory-processor",
        "role inventory-processor-role",
        "role inventory-pipe-role",
        "topic inventory-failures",
        "function inventory-processor",
        "stream realtimeInventoryProcessing",
        "pipe inventory-pipe",
    ]


def test_everything_is_tagged_as_ours() -> None:
    assert all(each.tags == TAGS for each in RESOURCES)


def test_the_same_arguments_give_the_same_description() -> None:
    assert description(Names(), Options(), ACCOUNT, "sha") == RESOURCES


def test_what_a_resource_refers_to_is_described_and_made_before_it() -> None:
    stage = {each.arn: each.stage for each in RESOURCES}
    pipe, function, topic = resource(Pipe), resource(Function), resource(Topic)

    for needed in (pipe.source, pipe.target, pipe.role, pipe.dead_letter_queue):
        assert stage[needed] < pipe.stage
    assert stage[function.role] < function.stage
    assert stage[topic.subscriber] < topic.stage
    assert resource(LogGroup).stage < function.stage


def test_a_stream_is_made_once_its_records_can_be_taken() -> None:
    earlier = (resource(Function), resource(Topic), resource(Table), resource(LogGroup))
    assert all(each.stage < resource(Stream).stage for each in earlier)


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

    made = {type(each): each for each in description(Names(), options, ACCOUNT, "sha")}

    stream, function, pipe, group = made[Stream], made[Function], made[Pipe], made[LogGroup]
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
    assert resource(Function).environment == {
        "TABLE_NAME": "product_inventory",
        "FAILURES_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:inventory-failures",
        "REMOVAL_NAME_POLICY": "ignore",
        "POWERTOOLS_SERVICE_NAME": "inventory",
        "POWERTOOLS_METRICS_NAMESPACE": "Inventory",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_table_shows_both_images_in_its_stream() -> None:
    table = resource(Table)

    assert str(table.key) == "product_id (S)"
    assert (table.billing, table.stream_view) == ("PAY_PER_REQUEST", "NEW_AND_OLD_IMAGES")


def test_arns_follow_the_partition_of_the_caller() -> None:
    account = Account.of_caller("arn:aws-cn:iam::42:root", "42", "cn-north-1")

    resources = description(Names(), Options(), account, "sha")

    assert all(each.arn.startswith("arn:aws-cn:") for each in resources)


def statements() -> Iterator[dict[str, Any]]:
    for each in RESOURCES:
        for policy in (getattr(each, "policy", None), getattr(each, "trust", None)):
            if policy is not None:
                yield from policy.statements


def test_no_policy_has_a_wildcard_action() -> None:
    actions = [s["Action"] for s in statements()]
    flat = [a for action in actions for a in ([action] if isinstance(action, str) else action)]

    assert flat
    assert not [action for action in flat if "*" in action]


def test_the_only_wildcard_of_a_resource_is_the_streams_of_one_log_group() -> None:
    wild = {s["Resource"] for s in statements() if "*" in s.get("Resource", "")}

    assert wild == {
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/inventory-processor:*"
    }


def test_policies_name_resources_of_the_description_only() -> None:
    known = {each.arn for each in RESOURCES}

    named = {s["Resource"].removesuffix(":*") for s in statements() if "Resource" in s}

    assert named <= known


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("inventory-processor-role", "lambda.amazonaws.com"),
        ("inventory-pipe-role", "pipes.amazonaws.com"),
    ],
)
def test_a_role_is_assumed_by_its_service_for_this_account_only(role: str, service: str) -> None:
    [statement] = resource(Role, role).trust.statements

    assert statement["Principal"] == {"Service": service}
    assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT.id


def test_the_pipes_role_is_for_this_pipe_only() -> None:
    [statement] = resource(Role, "inventory-pipe-role").trust.statements

    assert statement["Condition"]["StringEquals"]["aws:SourceArn"] == resource(Pipe).arn


def test_exactly_the_topic_may_send_to_the_rejected_queue() -> None:
    queue = resource(Queue, "inventory-rejected")
    [statement] = queue.policy.statements

    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": resource(Topic).arn}},
    }


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
