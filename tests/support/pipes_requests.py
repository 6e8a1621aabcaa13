"""CreatePipe requests for the tests of the Pipes API, and ARNs of everything that they name."""

from __future__ import annotations

from typing import Any

from eventbridge_pipes.arn import Scope

REGION = "us-east-1"
ACCOUNT = "000000000000"
SCOPE = Scope(ACCOUNT, REGION)


def arn(service: str, resource: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


STREAM = arn("kinesis", "stream/s")
TABLE_STREAM = arn("dynamodb", "table/t/stream/2024-01-01T00:00:00.000")
QUEUE = arn("sqs", "q")
FIFO_QUEUE = arn("sqs", "q.fifo")
TOPIC = arn("sns", "t")
FUNCTION = arn("lambda", "function:f")
BUS = arn("events", "event-bus/b")
STATE_MACHINE = arn("states", "stateMachine:m")
LOG_GROUP = arn("logs", "log-group:/g")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"

KINESIS = {"KinesisStreamParameters": {"StartingPosition": "LATEST"}}
DYNAMODB = {"DynamoDBStreamParameters": {"StartingPosition": "LATEST"}}


def definition(source: str = STREAM, target: str = FUNCTION, **members: Any) -> dict[str, Any]:
    """What CreatePipe is given, with the source parameters that `source` cannot do without."""
    needed: dict[str, Any] = {"Name": "p", "Source": source, "Target": target, "RoleArn": ROLE}
    if ":kinesis:" in source:
        needed["SourceParameters"] = KINESIS
    elif ":dynamodb:" in source:
        needed["SourceParameters"] = DYNAMODB
    return needed | members


def from_stream(target: str = FUNCTION, **stream: Any) -> dict[str, Any]:
    """Of a Kinesis stream; `stream` are members of KinesisStreamParameters."""
    parameters = {"StartingPosition": "LATEST", **stream}
    return definition(target=target, SourceParameters={"KinesisStreamParameters": parameters})


def from_queue(source: str = QUEUE, target: str = FUNCTION, **queue: Any) -> dict[str, Any]:
    """`queue` are members of SqsQueueParameters."""
    return definition(source, target, SourceParameters={"SqsQueueParameters": queue})


def filtered(*patterns: str, source: str = STREAM) -> dict[str, Any]:
    made = definition(source)
    criteria = {"Filters": [{"Pattern": pattern} for pattern in patterns]}
    return made | {
        "SourceParameters": {**made.get("SourceParameters", {}), "FilterCriteria": criteria}
    }


def to(target: str, **parameters: Any) -> dict[str, Any]:
    """From a queue; `parameters` are the TargetParameters."""
    return definition(QUEUE, target, TargetParameters=parameters)


def logged(level: str = "INFO", **destinations: Any) -> dict[str, Any]:
    return definition(LogConfiguration={"Level": level, **destinations})


def to_log_group(log_group: str = LOG_GROUP) -> dict[str, Any]:
    return {"CloudwatchLogsLogDestination": {"LogGroupArn": log_group}}
