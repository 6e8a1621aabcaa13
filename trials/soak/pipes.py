"""The pipes of a soak: both of each service, on the same stream."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from soak import traffic
from soak.evidence import Expected
from soak.stream import Put

_ACCOUNT = "us-east-1:000000000000"
STREAM = f"arn:aws:kinesis:{_ACCOUNT}:stream/soak"
DEAD_LETTERS = f"arn:aws:sqs:{_ACCOUNT}:dead-letters"
ROLE = "arn:aws:iam::000000000000:role/soak"

ALL: dict[str, Any] = {
    "Name": "all-to-function",
    "RoleArn": ROLE,
    "Source": STREAM,
    "SourceParameters": {
        "KinesisStreamParameters": {
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "ParallelizationFactor": 4,
            "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
            "MaximumRetryAttempts": 4,
            "DeadLetterConfig": {"Arn": DEAD_LETTERS},
        }
    },
    "Target": f"arn:aws:lambda:{_ACCOUNT}:function:soak",
}

RED: dict[str, Any] = {
    "Name": "red-to-queue",
    "RoleArn": ROLE,
    "Source": STREAM,
    "SourceParameters": {
        "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10},
        "FilterCriteria": {"Filters": [{"Pattern": json.dumps(traffic.FILTER)}]},
    },
    "Target": f"arn:aws:sqs:{_ACCOUNT}:soak.fifo",
    "TargetParameters": {
        "SqsQueueParameters": {
            "MessageGroupId": "$.partitionKey",
            "MessageDeduplicationId": "$.sequenceNumber",
        }
    },
}


def expected_of_all(records: Iterable[Put]) -> list[Expected]:
    """The function never takes poison: the pipe has to give up on it."""
    return [
        Expected(record.number, record.shard, record.key, traffic.is_poison(record.data))
        for record in records
    ]


def expected_of_red(records: Iterable[Put]) -> list[Expected]:
    return [
        Expected(record.number, record.shard, record.key)
        for record in records
        if traffic.passes(record.data)
    ]
