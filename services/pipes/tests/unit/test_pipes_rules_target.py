from __future__ import annotations

from typing import Any

import pytest

from eventbridge_pipes.api.rules import check, violations_of
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.targets import (
    event_bus,
    kinesis_stream,
    lambda_function,
    log_group,
    sns_topic,
    sqs_queue,
    state_machine,
    target_kind_of,
)
from eventbridge_pipes.targets.target import TargetKind
from pipes_requests import (
    BUS,
    FIFO_QUEUE,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    SCOPE,
    STATE_MACHINE,
    STREAM,
    TOPIC,
    arn,
    definition,
    from_queue,
    from_stream,
    to,
)

KEY = {"KinesisStreamParameters": {"PartitionKey": "$.body.key"}}
GROUP = {"SqsQueueParameters": {"MessageGroupId": "$.body.group"}}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (FUNCTION, lambda_function.KIND),
        (f"{FUNCTION}:live", lambda_function.KIND),
        (QUEUE, sqs_queue.KIND),
        (FIFO_QUEUE, sqs_queue.KIND),
        (TOPIC, sns_topic.KIND),
        (STREAM, kinesis_stream.KIND),
        (BUS, event_bus.KIND),
        (arn("events", "event-bus/aws.partner/example.com/1"), event_bus.KIND),
        (STATE_MACHINE, state_machine.KIND),
        (f"{STATE_MACHINE}:3", state_machine.KIND),
        (LOG_GROUP, log_group.KIND),
        (f"{LOG_GROUP}:*", log_group.KIND),
        (f"{FUNCTION}:live:extra", None),
        (arn("lambda", "layer:l"), None),
        (f"{STREAM}/consumer/c:1", None),
        (f"{TOPIC}:subscription", None),
        (arn("events", "rule/r"), None),
        (arn("states", "activity:a"), None),
        (f"{LOG_GROUP}:log-stream:s", None),
    ],
)
def test_the_kind_of_a_target_is_in_its_arn(text: str, kind: TargetKind | None) -> None:
    assert target_kind_of(Arn.parse(text)) is kind


@pytest.mark.parametrize(
    "accepted",
    [
        to(f"{FUNCTION}:live", LambdaFunctionParameters={"InvocationType": "FIRE_AND_FORGET"}),
        to(FUNCTION, InputTemplate="", LambdaFunctionParameters={}),
        to(FUNCTION, InputTemplate='{"a": <$.body.a>}'),
        to(QUEUE),
        to(QUEUE, SqsQueueParameters={"MessageGroupId": "fair", "MessageDeduplicationId": ""}),
        to(FIFO_QUEUE, **GROUP),
        to(
            FIFO_QUEUE,
            SqsQueueParameters={"MessageGroupId": "g", "MessageDeduplicationId": "$.messageId"},
        ),
        to(FUNCTION, InputTemplate="<$.body[?(@.a)]> <$.>"),
        to(FIFO_QUEUE, SqsQueueParameters={"MessageGroupId": "$.body.a...b"}),
        to(BUS, EventBridgeEventBusParameters={"Resources": ["$.a", "$.a b", "$..a[-1]"]}),
        to(TOPIC, InputTemplate="plain <$.body>"),
        to(STREAM, **KEY),
        to(BUS),
        to(
            BUS,
            EventBridgeEventBusParameters={
                "DetailType": "$.body.type",
                "Source": "orders",
                "Resources": [FUNCTION, "$.eventSourceARN"],
                "Time": "$.body.time",
            },
        ),
        to(STATE_MACHINE),
        to(
            f"{STATE_MACHINE}:live",
            StepFunctionStateMachineParameters={"InvocationType": "FIRE_AND_FORGET"},
        ),
        to(LOG_GROUP),
        to(
            LOG_GROUP,
            CloudWatchLogsParameters={"LogStreamName": "name", "Timestamp": "$.body.time"},
        ),
    ],
)
def test_targets_and_their_parameters_are_accepted(accepted: dict[str, Any]) -> None:
    check(accepted, SCOPE)


@pytest.mark.parametrize(
    ("field", "named", "refused"),
    [
        ("target", "API Gateway", to(arn("execute-api", "a/s/GET/p"))),
        ("target", "API destination", to(arn("events", "api-destination/d/1"))),
        ("target", "Batch", to(arn("batch", "job-queue/q"))),
        ("target", "ECS", to(arn("ecs", "cluster/c"))),
        ("target", "Firehose", to(arn("firehose", "deliverystream/d"))),
        ("target", "Inspector", to(arn("inspector", "target/t/template/t"))),
        ("target", "Redshift", to(arn("redshift", "cluster:c"))),
        ("target", "Redshift", to(arn("redshift-serverless", "workgroup/w"))),
        ("target", "SageMaker", to(arn("sagemaker", "pipeline/p"))),
        ("target", "Timestream", to(arn("timestream", "database/d/table/t"))),
        ("target", ":s3:", to("arn:aws:s3:::bucket")),
        ("target", "cross-region", to(arn("lambda", "function:f", "eu-west-1"))),
        ("target", "FIFO", to(f"{TOPIC}.fifo")),
        ("target", "account", to(arn("events", "event-bus/b", account="111111111111"))),
        ("target", "account", to(arn("logs", "log-group:g", account="111111111111"))),
        (
            "targetParameters.sqsQueueParameters",
            "Invalid target parameter provided for target.",
            to(FUNCTION, **GROUP),
        ),
        (
            "targetParameters.httpParameters",
            "HttpParameters does not belong to an SNS topic",
            to(TOPIC, HttpParameters={}),
        ),
        (
            "targetParameters.inputTemplate",
            "InputTemplate is not valid: ",
            to(FUNCTION, InputTemplate="<aws.pipes.unknown>"),
        ),
        (
            "targetParameters.sqsQueueParameters.messageGroupId",
            "needs SqsQueueParameters with MessageGroupId",
            to(FIFO_QUEUE),
        ),
        (
            "targetParameters.sqsQueueParameters.messageDeduplicationId",
            "FIFO",
            to(QUEUE, SqsQueueParameters={"MessageDeduplicationId": "$.messageId"}),
        ),
        ("targetParameters.kinesisStreamParameters.partitionKey", "PartitionKey", to(STREAM)),
        (
            "targetParameters.kinesisStreamParameters.partitionKey",
            "PartitionKey",
            to(STREAM, KinesisStreamParameters={"PartitionKey": ""}),
        ),
        (
            "targetParameters.eventBridgeEventBusParameters.endpointId",
            "EndpointId",
            to(BUS, EventBridgeEventBusParameters={"EndpointId": "abcde.veo"}),
        ),
        (
            "targetParameters.cloudWatchLogsParameters.logStreamName",
            "LogStreamName must be a name",
            to(LOG_GROUP, CloudWatchLogsParameters={"LogStreamName": "$.body.stream"}),
        ),
    ],
)
def test_what_does_not_go_with_a_target_is_refused_by_name(
    field: str, named: str, refused: dict[str, Any]
) -> None:
    (violation,) = violations_of(refused, SCOPE)
    assert violation.field == field
    assert named in violation.message


@pytest.mark.parametrize(
    ("target", "limit", "parameters"),
    [(QUEUE, 10, {}), (TOPIC, 10, {}), (BUS, 10, {}), (STREAM, 500, KEY), (LOG_GROUP, 10_000, {})],
)
def test_a_batch_may_reach_the_limit_of_its_target_but_not_pass_it(
    target: str, limit: int, parameters: dict[str, Any]
) -> None:
    at_most = from_stream(target, BatchSize=limit) | {"TargetParameters": parameters}
    check(at_most, SCOPE)
    too_many = from_stream(target, BatchSize=limit + 1) | {"TargetParameters": parameters}
    (violation,) = violations_of(too_many, SCOPE)
    assert violation.field == "sourceParameters.kinesisStreamParameters.batchSize"
    assert violation.message.startswith(
        f"The configured batch size {limit + 1} is greater than the max supported batch size "
        f"{limit} for "
    )


@pytest.mark.parametrize("target", [FUNCTION, STATE_MACHINE])
def test_where_only_the_payload_counts_a_batch_may_have_any_size(target: str) -> None:
    check(from_stream(target, BatchSize=10_000), SCOPE)


def test_the_batch_of_a_queue_is_held_to_the_limit_of_its_target_too() -> None:
    too_many = from_queue(target=TOPIC, BatchSize=11, MaximumBatchingWindowInSeconds=1)
    (violation,) = violations_of(too_many, SCOPE)
    assert violation.field == "sourceParameters.sqsQueueParameters.batchSize"


def test_a_batch_size_that_is_not_given_is_never_over_the_limit() -> None:
    check(definition(target=QUEUE), SCOPE)
