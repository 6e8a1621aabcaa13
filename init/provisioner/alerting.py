"""The part of the description that tells people: what the alerts function is, has and reads."""

from __future__ import annotations

from provisioner import policies
from provisioner.account import Account
from provisioner.names import Names
from provisioner.options import Options
from provisioner.resources import (
    Function,
    Key,
    LogGroup,
    PublicTopic,
    Queue,
    QueueSource,
    Resource,
    Role,
    Stream,
    Table,
    TableSource,
)

# An alert of yesterday is news to nobody, and what it is about stays in its queue for longer.
_QUEUE_RETENTION_SECONDS = 24 * 3600

# What the function's code counts on (alerts/limit.py): a message that it could not handle comes
# again when nobody waits for the invocation that had it any more.
_TIMEOUT_SECONDS = 30
_VISIBILITY_SECONDS = 120
_MEMORY_MB = 256

# Lambda collects for a second, so that a storm costs an invocation a second, not one a message.
_WINDOW_SECONDS = 1
_MESSAGES_AT_ONCE = 100
_MOST_INSTANCES = 2  # the least that Lambda takes
_CHANGES_AT_ONCE = 1000

# An outage of an hour is sat out; a batch that can never be read holds its shard no longer.
_MAX_RETRY_ATTEMPTS = 1000
_MAX_CHANGE_AGE_SECONDS = 3600


def alerting(
    names: Names,
    options: Options,
    account: Account,
    code_sha256: str,
    *,
    stream: Stream,
    table: Table,
) -> tuple[Resource, ...]:
    """The resources of the alerts; `stream` has what dead letters stand for, `table` the levels."""
    key = policies.KeyAccess(account, options.kms_key)
    queue_arn = account.arn("sqs", names.alerts_queue)
    topics = (names.rejections_topic, names.dead_letters_topic)
    queue = Queue(
        name=names.alerts_queue,
        arn=queue_arn,
        retention_seconds=_QUEUE_RETENTION_SECONDS,
        visibility_seconds=_VISIBILITY_SECONDS,
        kms_key=key.key,
        policy=policies.queue_policy(queue_arn, *(account.arn("sns", name) for name in topics)),
    )
    tallies = Table(
        name=names.alerts_table,
        arn=account.arn("dynamodb", f"table/{names.alerts_table}"),
        key=Key((("cause", "S"),)),
        stream_view=None,
        kms_key=key.key,
    )
    topic_arn = account.arn("sns", names.topic)
    topic = PublicTopic(
        name=names.topic,
        arn=topic_arn,
        policy=policies.public_topic_policy(topic_arn, account),
        kms_key=key.key,
        queues=queues_of(names, account),
        subscribers=frozenset(),
    )
    log_group = LogGroup.of_function(names.alerts_function, account, options.log_retention_days)
    function_arn = account.arn("lambda", f"function:{names.alerts_function}")
    role = Role(
        name=names.alerts_role,
        arn=account.role_arn(names.alerts_role),
        trust=policies.lambda_trust(account, function_arn),
        policy=policies.alerts_access(
            stream=stream.arn,
            table=table.arn,
            tallies=tallies.arn,
            queue=queue.arn,
            topic=topic.arn,
            log_group=log_group.arn,
            key=key,
        ),
    )
    function = Function(
        name=names.alerts_function,
        arn=function_arn,
        code=code_sha256,
        role=role.arn,
        runtime=options.function_runtime,
        handler="alerts.handler.handler",
        memory_mb=_MEMORY_MB,
        timeout_seconds=_TIMEOUT_SECONDS,
        environment={
            "ALERTS_TOPIC_ARN": topic.arn,
            "ALERTS_TABLE_NAME": tallies.name,
            "ALERTS_QUEUE_NAME": queue.name,
            "STREAM_NAME": stream.name,
            "LOW_STOCK": _level(options.low_stock),
            "HIGH_STOCK": _level(options.high_stock),
        },
    )
    failures = QueueSource(
        name=f"queue {queue.name}",
        function=function.name,
        source=queue.arn,
        batch_size=_MESSAGES_AT_ONCE,
        batching_window_seconds=_WINDOW_SECONDS,
        max_concurrency=_MOST_INSTANCES,
    )
    levels = TableSource(
        name=f"table {table.name}",
        function=function.name,
        source=table.arn,
        batch_size=_CHANGES_AT_ONCE,
        batching_window_seconds=_WINDOW_SECONDS,
        # Without a threshold too: LocalStack 4.14 never finishes deleting one that is disabled.
        enabled=True,
        max_retry_attempts=_MAX_RETRY_ATTEMPTS,
        max_record_age_seconds=_MAX_CHANGE_AGE_SECONDS,
    )
    return tallies, queue, log_group, role, function, topic, failures, levels


def queues_of(names: Names, account: Account) -> frozenset[str]:
    """The ARNs of all queues of ours."""
    queues = (names.dead_letter_queue, names.rejected_queue, names.alerts_queue)
    return frozenset(account.arn("sqs", name) for name in queues)


def _level(threshold: int | None) -> str:
    return "off" if threshold is None else str(threshold)
