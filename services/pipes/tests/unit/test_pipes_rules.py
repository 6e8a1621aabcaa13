from __future__ import annotations

from typing import Any

import pytest

from eventbridge_pipes.api.model import ValidationError
from eventbridge_pipes.api.rules import CROSS_REGION, check, violations_of
from pipes_requests import (
    BUS,
    FIFO_QUEUE,
    FUNCTION,
    KINESIS,
    LOG_GROUP,
    QUEUE,
    SCOPE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    TOPIC,
    arn,
    definition,
    filtered,
    from_queue,
    from_stream,
    logged,
    to_log_group,
)

STREAM_PARAMETERS = "sourceParameters.kinesisStreamParameters"
QUEUE_PARAMETERS = "sourceParameters.sqsQueueParameters"
DEAD_LETTERS = f"{STREAM_PARAMETERS}.deadLetterConfig.arn"


def dead_letters(to: str) -> dict[str, Any]:
    return from_stream(DeadLetterConfig={"Arn": to})


def enriched(by: str, **parameters: Any) -> dict[str, Any]:
    return definition(Enrichment=by, EnrichmentParameters=parameters)


@pytest.mark.parametrize(
    "accepted",
    [
        definition(),
        definition(TABLE_STREAM),
        definition(QUEUE),
        definition(FIFO_QUEUE),
        definition(arn("kinesis", "stream/s", account="111111111111")),
        definition(KmsKeyIdentifier=""),
        definition(SourceParameters={"FilterCriteria": {}, **KINESIS}),
        from_stream(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1.0),
        from_stream(ParallelizationFactor=10, DeadLetterConfig={}),
        *(from_stream(MaximumRecordAgeInSeconds=age) for age in (-1, 60, 604_800)),
        from_stream(OnPartialBatchItemFailure="AUTOMATIC_BISECT", MaximumRetryAttempts=0),
        dead_letters(QUEUE),
        dead_letters(TOPIC),
        filtered(*['{"data": {"a": [1]}}'] * 5),
        filtered('{"body": ["plain text"]}', source=QUEUE),
        from_queue(BatchSize=10),
        from_queue(BatchSize=10_000, MaximumBatchingWindowInSeconds=1),
        from_queue(FIFO_QUEUE, BatchSize=10, MaximumBatchingWindowInSeconds=0),
        enriched(""),
        enriched(FUNCTION, InputTemplate='{"a": <$.data.a>}', HttpParameters={}),
        enriched(STATE_MACHINE, InputTemplate=""),
        logged("OFF"),
        logged("OFF", **to_log_group()),
        logged("TRACE", **to_log_group(f"{LOG_GROUP}:*"), IncludeExecutionData=["ALL"]),
    ],
)
def test_what_is_carried_out_is_accepted(accepted: dict[str, Any]) -> None:
    check(accepted, SCOPE)


@pytest.mark.parametrize(
    ("field", "named", "refused"),
    [
        ("source", "Kafka", definition("smk://broker:9092")),
        ("source", "MSK", definition(arn("kafka", "cluster/c/1"))),
        ("source", "Amazon MQ", definition(arn("mq", "broker:b:1"))),
        ("source", "consumer", definition(f"{STREAM}/consumer/c:1")),
        ("source", "DynamoDB table", definition(arn("dynamodb", "table/t"))),
        ("source", ":s3:", definition("arn:aws:s3:::bucket")),
        ("source", "cross-region", definition(arn("kinesis", "stream/s", "eu-west-1"))),
        (STREAM_PARAMETERS, "StartingPosition", definition(SourceParameters={})),
        (
            "sourceParameters.dynamoDBStreamParameters",
            "DynamoDBStreamParameters",
            definition(TABLE_STREAM, SourceParameters={}),
        ),
        (
            QUEUE_PARAMETERS,
            "SqsQueueParameters does not belong",
            definition(SourceParameters={"SqsQueueParameters": {}, **KINESIS}),
        ),
        (
            "sourceParameters.selfManagedKafkaParameters",
            "SelfManagedKafkaParameters does not belong",
            definition(QUEUE, SourceParameters={"SelfManagedKafkaParameters": {}}),
        ),
        (
            f"{STREAM_PARAMETERS}.startingPositionTimestamp",
            "AT_TIMESTAMP",
            from_stream(StartingPosition="AT_TIMESTAMP"),
        ),
        (
            f"{STREAM_PARAMETERS}.startingPositionTimestamp",
            "AT_TIMESTAMP",
            from_stream(StartingPositionTimestamp=1.0),
        ),
        *(
            (
                f"{STREAM_PARAMETERS}.maximumRecordAgeInSeconds",
                f"InSeconds must be -1, for no limit, or from 60 to 604800, not {age}",
                from_stream(MaximumRecordAgeInSeconds=age),
            )
            for age in (0, 59)
        ),
        ("tags", "aws:x is reserved", definition(Tags={"aws:x": "y"})),
        (DEAD_LETTERS, "FIFO", dead_letters(FIFO_QUEUE)),
        (DEAD_LETTERS, "FIFO", dead_letters(f"{TOPIC}.fifo")),
        (DEAD_LETTERS, "SQS queue or an SNS topic", dead_letters(FUNCTION)),
        (DEAD_LETTERS, "cross-region", dead_letters(arn("sqs", "q", "eu-west-1"))),
        (
            "sourceParameters.filterCriteria.filters.2.member.pattern",
            "filter 2 is not valid: ",
            filtered('{"data": {"a": [1]}}', '{"data": {"a": 1}}'),
        ),
        (
            "sourceParameters.filterCriteria.filters.1.member.pattern",
            "data",
            filtered('{"data": ["plain text"]}'),
        ),
        (
            "sourceParameters.filterCriteria.filters.1.member.pattern",
            "Filter 1 has no Pattern",
            definition(QUEUE, SourceParameters={"FilterCriteria": {"Filters": [{}]}}),
        ),
        (f"{QUEUE_PARAMETERS}.batchSize", "at most 10", from_queue(FIFO_QUEUE, BatchSize=11)),
        (
            f"{QUEUE_PARAMETERS}.maximumBatchingWindowInSeconds",
            "FIFO",
            from_queue(FIFO_QUEUE, MaximumBatchingWindowInSeconds=1),
        ),
        (
            f"{QUEUE_PARAMETERS}.maximumBatchingWindowInSeconds",
            "at least 1",
            from_queue(BatchSize=11),
        ),
        ("enrichment", "API Gateway", enriched(arn("execute-api", "a/s/GET/p"))),
        ("enrichment", "API destination", enriched(arn("events", "api-destination/d/1"))),
        ("enrichment", BUS, enriched(BUS)),
        ("enrichment", "cross-region", enriched(arn("lambda", "function:f", "eu-west-1"))),
        (
            "enrichmentParameters.httpParameters",
            "HttpParameters",
            enriched(FUNCTION, HttpParameters={"HeaderParameters": {"a": "b"}}),
        ),
        (
            "enrichmentParameters.inputTemplate",
            "InputTemplate is not valid: ",
            enriched(FUNCTION, InputTemplate="<aws.pipes.unknown>"),
        ),
        ("logConfiguration", "needs a destination", logged("ERROR")),
        (
            "logConfiguration.firehoseLogDestination",
            "FirehoseLogDestination",
            logged(**to_log_group(), FirehoseLogDestination={"DeliveryStreamArn": "any"}),
        ),
        (
            "logConfiguration.s3LogDestination",
            "S3LogDestination",
            logged("OFF", S3LogDestination={"BucketName": "b", "BucketOwner": "o"}),
        ),
        (
            "logConfiguration.cloudwatchLogsLogDestination.logGroupArn",
            "cross-region",
            logged(**to_log_group(arn("logs", "log-group:g", "eu-west-1"))),
        ),
        (
            "logConfiguration.cloudwatchLogsLogDestination.logGroupArn",
            "must be in the account of the pipe, 000000000000",
            logged(**to_log_group(arn("logs", "log-group:g", account="111111111111"))),
        ),
        ("kmsKeyIdentifier", "KmsKeyIdentifier", definition(KmsKeyIdentifier="alias/k")),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(
    field: str, named: str, refused: dict[str, Any]
) -> None:
    (violation,) = violations_of(refused, SCOPE)
    assert violation.field == field
    assert named in violation.message


def test_all_that_is_wrong_is_in_one_error() -> None:
    wrong = definition(
        target=arn("lambda", "function:f", "eu-west-1"),
        LogConfiguration={"Level": "INFO"},
        KmsKeyIdentifier="alias/k",
    )
    with pytest.raises(ValidationError) as raised:
        check(wrong, SCOPE)
    assert len(raised.value.members["fieldList"]) == 3
    assert CROSS_REGION in str(raised.value)
