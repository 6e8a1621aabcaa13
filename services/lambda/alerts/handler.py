"""What Lambda calls.

The function gets every change of the table, and most changes cross no threshold. So it loads the
SDK only if there is something to publish.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from alerts.crossings import Thresholds, crossings
from alerts.message import MAX_SAMPLES, message_of
from alerts.occurrence import Occurrence, read_message
from inventory_aws.stream import ShardRanges, StreamRecord

if TYPE_CHECKING:
    from inventory.failure_messages import DeadLetter

LOOKUPS = 5
"""Dead letters of a batch whose records are read. A shard answers five reads per second, and the
pipe needs some of them."""

LOOKUP_MS = 15_000
"""With less time than this left, no records of dead letters are read."""


@dataclass(frozen=True, slots=True)
class Settings:
    topic_arn: str
    stream: str
    thresholds: Thresholds

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        thresholds = Thresholds(_level(environ, "LOW_STOCK"), _level(environ, "HIGH_STOCK"))
        return cls(environ["ALERTS_TOPIC_ARN"], environ["STREAM_NAME"], thresholds)


def _level(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(name, "off")
    return None if value == "off" else int(value)


def handler(invocation: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Publish one message for each kind and reason in a batch of the queue, or of the table's
    stream.

    Return {"batchItemFailures": [{"itemIdentifier": <message id>}, …]}. Raise the error if a
    message about the table's stream is not published: then Lambda retries the batch.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    records = invocation["Records"]
    if records[0]["eventSource"] == "aws:dynamodb":
        thresholds = _settings().thresholds
        for group in _by_reason(c for record in records for c in crossings(record, thresholds)):
            _publish(group)
        return {"batchItemFailures": []}
    failed = _handle_messages(records, context.get_remaining_time_in_millis)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def log(message: str, **details: object) -> None:
    print(json.dumps({"message": message, **details}), flush=True)


def _handle_messages(messages: Sequence[Any], remaining_ms: Callable[[], int]) -> list[str]:
    """Return the ids of the messages that are to be retried."""
    from botocore.exceptions import BotoCoreError, ClientError

    lookups = iter(range(LOOKUPS))

    def records_of(letter: DeadLetter) -> Sequence[StreamRecord]:
        if next(lookups, None) is None or remaining_ms() < LOOKUP_MS:
            return []
        try:
            return _records_of(letter)
        except (ClientError, BotoCoreError) as error:
            log("cannot read the records of a dead letter", error=str(error)[:500])
            return []

    occurrences = []
    for message in messages:
        if occurrence := read_message(message, records_of):
            occurrences.append(occurrence)
        else:  # a retry would not help
            log("unknown message dropped", body=message["body"][:200])
    failed: list[str] = []
    for group in _by_reason(occurrences):
        try:
            _publish(group)
        except (ClientError, BotoCoreError) as error:
            log("alert not published, will be retried", error=str(error)[:500])
            failed += [occurrence.record_id for occurrence in group]
    return failed


def _by_reason(occurrences: Iterable[Occurrence]) -> Iterable[list[Occurrence]]:
    groups: dict[tuple[str, str], list[Occurrence]] = {}
    for occurrence in occurrences:
        groups.setdefault((occurrence.kind, occurrence.reason), []).append(occurrence)
    return groups.values()


def _publish(occurrences: Sequence[Occurrence]) -> None:
    """Publish one message about occurrences of one kind and reason."""
    _client("sns").publish(TopicArn=_settings().topic_arn, **message_of(occurrences))
    first = occurrences[0]
    log("alert", alert=first.kind, reason=first.reason, count=len(occurrences))


def _records_of(letter: DeadLetter) -> Sequence[StreamRecord]:
    count = min(letter.count, MAX_SAMPLES)
    return _stream().read(letter.shard_id, letter.first, letter.last, count)


@functools.cache
def _settings() -> Settings:
    return Settings.from_env(os.environ)


@functools.cache
def _client(service: Any) -> Any:
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    config = Config(connect_timeout=2, read_timeout=5, retries=retries)
    return boto3.Session().client(service, config=config)


def _stream() -> ShardRanges:
    # It lists the shards once, and a resharded stream has new ones.
    return ShardRanges(_client("kinesis"), _settings().stream)
