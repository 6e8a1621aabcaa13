"""The one description of everything that exists."""

from __future__ import annotations

from dataclasses import replace

from provisioner import policies
from provisioner.account import Account
from provisioner.alerting import alerting, queues_of
from provisioner.monitoring import monitoring
from provisioner.names import Names
from provisioner.options import Options
from provisioner.resources import (
    KINESIS_KEY,
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
    tags_of,
)

# The longest that SQS keeps a message: what failed waits for somebody to look at it.
_QUEUE_RETENTION_SECONDS = 14 * 24 * 3600


def description(
    names: Names, options: Options, account: Account, code_sha256: str
) -> tuple[Resource, ...]:
    """All resources, as they are to be made, one step after the other, with the tags of the stage.

    `code_sha256` is the base64 of the SHA-256 of the functions' zip.
    """
    key = policies.KeyAccess(account, options.kms_key)
    stream = Stream(
        name=names.stream,
        arn=account.arn("kinesis", f"stream/{names.stream}"),
        shards=options.stream_shards,
        kms_key=options.kms_key or KINESIS_KEY,
    )
    table = Table(
        name=names.table,
        arn=account.arn("dynamodb", f"table/{names.table}"),
        key=Key((("product_id", "S"),)),
        stream_view="NEW_AND_OLD_IMAGES",
        kms_key=options.kms_key,
        point_in_time_recovery=options.point_in_time_recovery,
        deletion_protection=options.deletion_protection,
    )
    removals = Table(
        name=names.removals_table,
        arn=account.arn("dynamodb", f"table/{names.removals_table}"),
        key=Key((("product_id", "S"),)),
        stream_view=None,
        expiry="expires_at",
        kms_key=options.kms_key,
    )
    rejections = _topic(names, key, names.rejections_topic, names.rejected_queue)
    dead_letters = _topic(names, key, names.dead_letters_topic, names.dead_letter_queue)
    log_group = LogGroup.of_function(names.function, account, options.log_retention_days)
    function_arn = account.arn("lambda", f"function:{names.function}")
    function_role = Role(
        name=names.function_role,
        arn=account.role_arn(names.function_role),
        trust=policies.lambda_trust(account, function_arn),
        policy=policies.function_access(
            table.arn, removals.arn, rejections.arn, log_group.arn, key
        ),
    )
    function = Function(
        name=names.function,
        arn=function_arn,
        code=code_sha256,
        role=function_role.arn,
        runtime=options.function_runtime,
        handler="inventory.handler.handler",
        memory_mb=options.function_memory_mb,
        timeout_seconds=options.function_timeout_seconds,
        environment={
            "TABLE_NAME": table.name,
            "REMOVALS_TABLE_NAME": removals.name,
            "FAILURES_TOPIC_ARN": rejections.arn,
            "REMOVAL_NAME_POLICY": options.removal_name_policy,
            # The dimension of its metrics.
            "POWERTOOLS_SERVICE_NAME": names.function,
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
        policy=policies.pipe_access(stream.arn, function.arn, dead_letters.arn, key),
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
        dead_letters=dead_letters.arn,
    )
    alerts = alerting(names, options, account, code_sha256, stream=stream, table=table)
    resources = (
        table,
        removals,
        _failure_queue(names.dead_letter_queue, key, dead_letters),
        _failure_queue(names.rejected_queue, key, rejections),
        log_group,
        function_role,
        pipe_role,
        rejections,
        dead_letters,
        function,
        stream,
        pipe,
        *alerts,
        *monitoring(names, options, account),
    )
    tags = tags_of(names.stage)
    tagged = [replace(resource, tags=tags) for resource in resources]
    return tuple(sorted(tagged, key=lambda resource: resource.stage))


def _topic(names: Names, key: policies.KeyAccess, name: str, queue: str) -> Topic:
    """A topic of failures: they go to a queue of their own, and to that of the alerts."""
    account = key.account
    arn = account.arn("sns", name)
    return Topic(
        name=name,
        arn=arn,
        policy=policies.topic_policy(arn),
        kms_key=key.key,
        queues=queues_of(names, account),
        subscribers=frozenset(account.arn("sqs", each) for each in (queue, names.alerts_queue)),
    )


def _failure_queue(name: str, key: policies.KeyAccess, topic: Topic) -> Queue:
    arn = key.account.arn("sqs", name)
    return Queue(
        name=name,
        arn=arn,
        retention_seconds=_QUEUE_RETENTION_SECONDS,
        kms_key=key.key,
        policy=policies.queue_policy(arn, topic.arn),
    )
