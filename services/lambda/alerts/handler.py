"""What Lambda calls: the composition root of the function.

It is called for every change of the table, and most changes cross no threshold. So what only an
alert needs, the SDK above all, is imported and connected when there is one.
"""

from __future__ import annotations

import functools
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from alerts.batches import handle_changes, handle_messages
from alerts.settings import Settings

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

    from alerts.cause import Cause, Occurrence, Waiting
    from alerts.limiter import Limiter
    from alerts.queue import Tick
    from inventory.failure_messages import DeadLetter
    from inventory_aws.stream import ShardRanges, StreamRecord

LOOKUPS = 5
"""Dead letters of a batch whose records are fetched. A shard answers five reads a second to all
its readers, and the pipe is one of them."""

RECORDS_OF_A_LETTER = 10
LOOKUP_SECONDS = 15.0
"""How much of an invocation's time must be left for another of them."""


def handler(invocation: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle one batch of the queue or of the table's stream.

    Returns {"batchItemFailures": [{"itemIdentifier": <message id>}, …]}.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    records = invocation["Records"]
    changes = [r for r in records if r["eventSource"] == "aws:dynamodb"]
    handle_changes(changes, _settings().thresholds, _limiter)
    messages = [r for r in records if r["eventSource"] == "aws:sqs"]
    if not messages:
        return {"batchItemFailures": []}
    fetch = _fetching(lambda: context.get_remaining_time_in_millis() / 1000)
    failed = handle_messages(messages, _reading(fetch), _limiter(), log)
    log("batch", messages=len(messages), failed=len(failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def log(message: str, **details: object) -> None:
    """One JSON line; what came in is a value in it, never part of a text."""
    print(json.dumps({"message": message, **details}), flush=True)


@functools.cache
def _settings() -> Settings:
    return Settings.from_env(os.environ)


@functools.cache
def _session() -> tuple[boto3.Session, Config]:
    """Calls are short: no publication takes longer than its lease, nor any call than its time."""
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    return boto3.Session(), Config(connect_timeout=2, read_timeout=5, retries=retries)


@functools.cache
def _limiter() -> Limiter:
    from alerts.limiter import Limiter
    from alerts.message import message_of
    from alerts.queue import Tick
    from alerts.tallies import TalliesTable

    settings = _settings()
    session, config = _session()
    sqs = session.client("sqs", config=config)
    sns = session.client("sns", config=config)
    queue_url = sqs.get_queue_url(QueueName=settings.queue_name)["QueueUrl"]

    def send_tick(cause: Cause, at: int, delay_ms: int) -> None:
        sqs.send_message(
            QueueUrl=queue_url,
            MessageBody=Tick(cause, at).body,
            DelaySeconds=math.ceil(delay_ms / 1000),
        )

    def publish(cause: Cause, waiting: Waiting) -> None:
        message = message_of(cause, waiting)
        sns.publish(
            TopicArn=settings.topic_arn,
            Subject=message.subject,
            Message=message.body,
            MessageAttributes=message.attributes,
        )
        log("alert", cause=cause.key, count=waiting.count, at=time.time())

    tallies = TalliesTable(session.client("dynamodb", config=config), settings.table_name)
    return Limiter(tallies, send_tick, publish, lambda: time.time_ns() // 1_000_000)


def _reading(
    fetch: Callable[[DeadLetter], Sequence[StreamRecord]],
) -> Callable[[str, float], Tick | Occurrence | None]:
    from alerts.queue import read
    from inventory.event import claims

    return lambda body, at: read(body, at, fetch, claims)


def _fetching(seconds_left: Callable[[], float]) -> Callable[[DeadLetter], Sequence[StreamRecord]]:
    """Fetches the records of the first few dead letters of a batch; what fails is left out."""
    from botocore.exceptions import BotoCoreError, ClientError

    lookups = iter(range(LOOKUPS))
    stretches: list[ShardRanges] = []

    def fetch(letter: DeadLetter) -> Sequence[StreamRecord]:
        if next(lookups, None) is None or seconds_left() < LOOKUP_SECONDS:
            return []
        try:
            if not stretches:
                stretches.append(_stretches())
            count = min(letter.count, RECORDS_OF_A_LETTER)
            return stretches[0].read(letter.shard_id, letter.first, letter.last, count)
        except (ClientError, BotoCoreError) as error:
            log("cannot read the records of a dead letter", error=str(error)[:500])
            return []

    return fetch


def _stretches() -> ShardRanges:
    from inventory_aws.stream import ShardRanges

    session, config = _session()
    return ShardRanges(session.client("kinesis", config=config), _settings().stream_name)
