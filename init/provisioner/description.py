"""The one description of everything that exists."""

from __future__ import annotations

from provisioner import policies
from provisioner.account import Account
from provisioner.names import Names
from provisioner.options import Options
from provisioner.resources import (
    Function,
    Key,
    LogGroup,
    Pipe,
    Queue,
    Resource,
    Role,
    Stream,
    Table,
    Topic,
)

# The longest that SQS keeps a message: what failed waits for somebody to look at it.
_QUEUE_RETENTION_SECONDS = 14 * 24 * 3600


def description(
    names: Names, options: Options, account: Account, code_sha256: str
) -> tuple[Resource, ...]:
    """All resources. `code_sha256` is the base64 of the SHA-256 of the function's zip."""
    stream = Stream(
        name=names.stream,
        arn=account.arn("kinesis", f"stream/{names.stream}"),
        shards=options.stream_shards,
    )
    table = Table(
        name=names.table,
        arn=account.arn("dynamodb", f"table/{names.table}"),
        key=Key((("product_id", "S"),)),
        stream_view="NEW_AND_OLD_IMAGES",
    )
    dead_letter_queue = Queue(
        name=names.dead_letter_queue,
        arn=account.arn("sqs", names.dead_letter_queue),
        retention_seconds=_QUEUE_RETENTION_SECONDS,
    )
    topic_arn = account.arn("sns", names.topic)
    rejected_queue_arn = account.arn("sqs", names.rejected_queue)
    rejected_queue = Queue(
        name=names.rejected_queue,
        arn=rejected_queue_arn,
        retention_seconds=_QUEUE_RETENTION_SECONDS,
        policy=policies.queue_policy(rejected_queue_arn, topic_arn),
    )
    topic = Topic(name=names.topic, arn=topic_arn, subscriber=rejected_queue.arn)
    log_group_name = f"/aws/lambda/{names.function}"
    log_group = LogGroup(
        name=log_group_name,
        arn=account.arn("logs", f"log-group:{log_group_name}"),
        retention_days=options.log_retention_days,
    )
    function_role = Role(
        name=names.function_role,
        arn=account.role_arn(names.function_role),
        trust=policies.trust(
            "lambda.amazonaws.com", {"StringEquals": {"aws:SourceAccount": account.id}}
        ),
        policy=policies.function_access(table.arn, topic.arn, log_group.arn),
    )
    function = Function(
        name=names.function,
        arn=account.arn("lambda", f"function:{names.function}"),
        code=code_sha256,
        role=function_role.arn,
        runtime=options.function_runtime,
        handler="inventory.handler.handler",
        memory_mb=options.function_memory_mb,
        timeout_seconds=options.function_timeout_seconds,
        environment={
            "TABLE_NAME": table.name,
            "FAILURES_TOPIC_ARN": topic.arn,
            "REMOVAL_NAME_POLICY": options.removal_name_policy,
            "POWERTOOLS_SERVICE_NAME": "inventory",
            "POWERTOOLS_METRICS_NAMESPACE": "Inventory",
            # The batch line, by which a run is followed, is of this level.
            "POWERTOOLS_LOG_LEVEL": "INFO",
        },
    )
    pipe_arn = account.arn("pipes", f"pipe/{names.pipe}")
    pipe_role = Role(
        name=names.pipe_role,
        arn=account.role_arn(names.pipe_role),
        trust=policies.trust(
            "pipes.amazonaws.com",
            {"StringEquals": {"aws:SourceAccount": account.id, "aws:SourceArn": pipe_arn}},
        ),
        policy=policies.pipe_access(stream.arn, function.arn, dead_letter_queue.arn),
    )
    pipe = Pipe(
        name=names.pipe,
        arn=pipe_arn,
        role=pipe_role.arn,
        source=stream.arn,
        starting_position=options.starting_position,
        target=function.arn,
        batch_size=options.batch_size,
        batching_window_seconds=options.batching_window_seconds,
        max_retry_attempts=options.max_retry_attempts,
        max_record_age_seconds=options.max_record_age_seconds,
        dead_letter_queue=dead_letter_queue.arn,
    )
    return (
        table,
        dead_letter_queue,
        rejected_queue,
        log_group,
        function_role,
        pipe_role,
        topic,
        function,
        stream,
        pipe,
    )
