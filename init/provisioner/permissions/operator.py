"""What whoever works with a stack needs, who neither makes nor deletes anything of it."""

from __future__ import annotations

from provisioner.account import Account
from provisioner.names import Names
from provisioner.options import Options
from provisioner.permissions.grants import Grant
from provisioner.policies import KeyAccess
from provisioner.resources import LogGroup

PRODUCE = "`produce`, `redrive`, the dashboard"
READ_STREAM = "`verify`, `redrive`, the dashboard"
READ_REMOVALS = "`redrive`, `demo`, `scenario`, the dashboard"
READ_TABLE = "`table`, `audit`, `verify`, `redrive`, the dashboard"
FOLLOW_TABLE = "`table --watch`, `audit`, the dashboard"
READ_QUEUES = "`rejected`, `dead-letters`, `verify`, `redrive`, the dashboard"
PIPE = "`verify`, the dashboard"
WATCH = "the dashboard"
KEY = "all of these, where a key of one's own encrypts"


def operator(names: Names, options: Options, account: Account) -> list[Grant]:
    """All that the commands of the purposes above do."""
    stream = (account.arn("kinesis", f"stream/{names.stream}"),)
    table = account.arn("dynamodb", f"table/{names.table}")
    queues = (names.rejected_queue, names.dead_letter_queue)
    log_group = LogGroup.of_function(names.function, account, options.log_retention_days).arn
    here = {"StringEquals": {"aws:RequestedRegion": account.region}}

    def grant(
        sid: str, purpose: str, service: str, actions: str, resources: tuple[str, ...]
    ) -> Grant:
        named = tuple(f"{service}:{name}" for name in actions.split())
        return Grant(sid, purpose, named, resources, here if resources == ("*",) else {})

    grants = [
        grant("Produce", PRODUCE, "kinesis", "DescribeStreamSummary PutRecord PutRecords", stream),
        grant(
            "ReadStream", READ_STREAM, "kinesis", "ListShards GetShardIterator GetRecords", stream
        ),
        grant("ReadTable", READ_TABLE, "dynamodb", "DescribeTable Scan GetItem", (table,)),
        grant(
            "ReadRemovals",
            READ_REMOVALS,
            "dynamodb",
            "Scan GetItem",
            (account.arn("dynamodb", f"table/{names.removals_table}"),),
        ),
        grant(
            "FollowTable",
            FOLLOW_TABLE,
            "dynamodb",
            "DescribeStream GetShardIterator GetRecords",
            (f"{table}/stream/*",),
        ),
        grant("ListTableStreams", FOLLOW_TABLE, "dynamodb", "ListStreams", ("*",)),
        grant(
            "Queues",
            READ_QUEUES,
            "sqs",
            "GetQueueUrl GetQueueAttributes ReceiveMessage ChangeMessageVisibility DeleteMessage",
            tuple(account.arn("sqs", name) for name in queues),
        ),
        grant("Log", WATCH, "logs", "FilterLogEvents", (log_group, f"{log_group}:*")),
        grant(
            "Pipe",
            PIPE,
            "pipes",
            "DescribePipe StartPipe StopPipe",
            (account.arn("pipes", f"pipe/{names.pipe}"),),
        ),
        grant("Metrics", WATCH, "cloudwatch", "GetMetricData", ("*",)),
    ]
    key = KeyAccess(account, options.kms_key)
    for statement in key.statements(reads=["dynamodb", "sqs"], writes=["kinesis"]):
        [action] = statement["Action"]
        grants.append(
            Grant(
                f"Key{action.partition(':')[2]}",
                KEY,
                (action,),
                (statement["Resource"],),
                statement["Condition"],
            )
        )
    return grants
