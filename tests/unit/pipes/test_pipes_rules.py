from __future__ import annotations

from typing import Any

import pytest

from eventbridge_pipes.api.errors import ValidationError
from eventbridge_pipes.api.rules import CROSS_REGION, check, violations_of

REGION = "us-east-1"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
KINESIS = "sourceParameters.kinesisStreamParameters"


def definition(stream: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "Name": "p",
        "Source": STREAM,
        "Target": FUNCTION,
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        "SourceParameters": {
            "KinesisStreamParameters": {"StartingPosition": "LATEST", **(stream or {})}
        },
        **members,
    }


def dead_letters(arn: str) -> dict[str, Any]:
    return definition({"DeadLetterConfig": {"Arn": arn}})


@pytest.mark.parametrize(
    "accepted",
    [
        definition(),
        definition(Enrichment="", EnrichmentParameters={}, KmsKeyIdentifier=""),
        definition({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1.0}),
        definition({"ParallelizationFactor": 1, "DeadLetterConfig": {}}),
        definition(Target=f"{FUNCTION}:live"),
        definition(
            TargetParameters={"LambdaFunctionParameters": {"InvocationType": "REQUEST_RESPONSE"}}
        ),
        definition(TargetParameters={"InputTemplate": ""}),
        dead_letters("arn:aws:sqs:us-east-1:000000000000:q"),
        dead_letters("arn:aws:sns:us-east-1:000000000000:t"),
        definition(
            SourceParameters={
                "FilterCriteria": {"Filters": []},
                "KinesisStreamParameters": {"StartingPosition": "LATEST"},
            }
        ),
    ],
)
def test_what_is_carried_out_is_accepted(accepted: dict[str, Any]) -> None:
    check(accepted, REGION)


@pytest.mark.parametrize(
    ("field", "named", "refused"),
    [
        ("source", "sqs", definition(Source="arn:aws:sqs:us-east-1:000000000000:q")),
        (
            "source",
            "table",
            definition(Source="arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"),
        ),
        ("source", "smk", definition(Source="smk://broker:9092")),
        ("source", "consumer", definition(Source=f"{STREAM}/consumer/c:1")),
        ("source", "cross-region", definition(Source=STREAM.replace("us-east-1", "eu-west-1"))),
        (KINESIS, "KinesisStreamParameters", definition(SourceParameters={})),
        (
            "sourceParameters.sqsQueueParameters",
            "SqsQueueParameters",
            definition(
                SourceParameters={
                    "SqsQueueParameters": {},
                    "KinesisStreamParameters": {"StartingPosition": "LATEST"},
                }
            ),
        ),
        (
            "sourceParameters.filterCriteria",
            "FilterCriteria",
            definition(
                SourceParameters={
                    "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
                    "KinesisStreamParameters": {"StartingPosition": "LATEST"},
                }
            ),
        ),
        (
            f"{KINESIS}.startingPositionTimestamp",
            "AT_TIMESTAMP",
            definition({"StartingPosition": "AT_TIMESTAMP"}),
        ),
        (
            f"{KINESIS}.startingPositionTimestamp",
            "AT_TIMESTAMP",
            definition({"StartingPositionTimestamp": 1.0}),
        ),
        (
            f"{KINESIS}.parallelizationFactor",
            "ParallelizationFactor",
            definition({"ParallelizationFactor": 2}),
        ),
        (
            f"{KINESIS}.deadLetterConfig.arn",
            "FIFO",
            dead_letters("arn:aws:sqs:us-east-1:000000000000:q.fifo"),
        ),
        (
            f"{KINESIS}.deadLetterConfig.arn",
            "FIFO",
            dead_letters("arn:aws:sns:us-east-1:000000000000:t.fifo"),
        ),
        (
            f"{KINESIS}.deadLetterConfig.arn",
            "SQS queue or an SNS topic",
            dead_letters(FUNCTION),
        ),
        (
            f"{KINESIS}.deadLetterConfig.arn",
            "cross-region",
            dead_letters("arn:aws:sqs:eu-west-1:000000000000:q"),
        ),
        ("target", "sqs", definition(Target="arn:aws:sqs:us-east-1:000000000000:q")),
        ("target", "cross-region", definition(Target=FUNCTION.replace("us-east-1", "eu-west-1"))),
        (
            "targetParameters.inputTemplate",
            "InputTemplate",
            definition(TargetParameters={"InputTemplate": "<$.data>"}),
        ),
        (
            "targetParameters.sqsQueueParameters",
            "SqsQueueParameters",
            definition(TargetParameters={"SqsQueueParameters": {}}),
        ),
        (
            "targetParameters.lambdaFunctionParameters.invocationType",
            "FIRE_AND_FORGET",
            definition(
                TargetParameters={"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}
            ),
        ),
        ("enrichment", "Enrichment", definition(Enrichment=FUNCTION)),
        (
            "enrichmentParameters",
            "EnrichmentParameters",
            definition(EnrichmentParameters={"InputTemplate": "x"}),
        ),
        ("logConfiguration", "LogConfiguration", definition(LogConfiguration={"Level": "INFO"})),
        ("kmsKeyIdentifier", "KmsKeyIdentifier", definition(KmsKeyIdentifier="alias/k")),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(
    field: str, named: str, refused: dict[str, Any]
) -> None:
    (violation,) = violations_of(refused, REGION)
    assert violation.field == field
    assert named in violation.message


def test_all_that_is_wrong_is_in_one_error() -> None:
    wrong = definition(
        {"ParallelizationFactor": 2},
        Target=FUNCTION.replace("us-east-1", "eu-west-1"),
        LogConfiguration={"Level": "INFO"},
    )
    with pytest.raises(ValidationError) as raised:
        check(wrong, REGION)
    assert len(raised.value.members["fieldList"]) == 3
    assert CROSS_REGION in str(raised.value)
