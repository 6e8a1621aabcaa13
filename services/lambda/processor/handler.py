"""What Lambda calls: it connects the function to AWS, and writes its log and metrics."""

from __future__ import annotations

import functools
import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from inventory.stock import Outcome, RemovalNamePolicy
from processor.calls import Deadline, budget
from processor.processor import process
from processor.records import Result, records_of
from processor.rejections import RejectionsTopic
from processor.store import Store, refuse_damaged
from processor.writes import Tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "inventory"
# At the level INFO, there is a line for each batch, which the commands read. In ASCII, because half
# a surrogate pair would end a line early, and some readers take U+2028 for the end of it.
logger = Logger(service=SERVICE, level="INFO", json_serializer=json.dumps)
metrics = Metrics(namespace="Inventory", service=SERVICE)

TABLE_CALLS = 4
"""How many calls of DynamoDB the function makes at a time."""

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 10
LONGEST_CALL = CONNECT_TIMEOUT + READ_TIMEOUT
ANSWERING = 3
"""Seconds of an invocation that are left for what comes after its last call."""


@dataclass(frozen=True, slots=True)
class Settings:
    tables: Tables
    topic_arn: str
    removal_name_policy: RemovalNamePolicy

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            Tables(environ["TABLE_NAME"], environ["REMOVALS_TABLE_NAME"]),
            environ["FAILURES_TOPIC_ARN"],
            RemovalNamePolicy(environ.get("REMOVAL_NAME_POLICY", RemovalNamePolicy.IGNORE)),
        )


def handler(invocation: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle one batch of Kinesis records.

    Return {"batchItemFailures": [{"itemIdentifier": …}, …]}, with each record to be retried: an
    event id for a pipe, a sequence number for an event source mapping.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    started = time.perf_counter()
    remaining = context.get_remaining_time_in_millis() / 1000
    deadline = Deadline(time.monotonic() + budget(remaining, LONGEST_CALL + ANSWERING))
    settings, dynamodb, sns, pool = _connections()
    results = process(
        records_of(invocation),
        Store(dynamodb, settings.tables, pool, deadline),
        RejectionsTopic(sns, settings.topic_arn, deadline),
        settings.removal_name_policy,
    )
    _report(results, time.perf_counter() - started, getattr(context, "aws_request_id", None))
    return {
        "batchItemFailures": [
            {"itemIdentifier": result.record.item_identifier}
            for result in results
            if result.outcome is Outcome.FAILED
        ]
    }


@functools.cache
def _connections() -> tuple[Settings, DynamoDBClient, SNSClient, Executor]:
    """Return what all invocations share."""
    session = boto3.Session()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        # `retried` repeats calls: the SDK does not know the time that the invocation has left.
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=TABLE_CALLS,
    )
    # The requests to DynamoDB are built from checked values. To have botocore check them again
    # would take a third of the function's processor time.
    unchecked = config.merge(Config(parameter_validation=False))
    dynamodb = session.client("dynamodb", config=unchecked)
    dynamodb.meta.events.register("before-parse.dynamodb", refuse_damaged)
    sns = session.client("sns", config=config)
    pool = ThreadPoolExecutor(TABLE_CALLS, thread_name_prefix="table")
    return Settings.from_env(os.environ), dynamodb, sns, pool


def _report(results: Sequence[Result], seconds: float, request_id: str | None) -> None:
    """Log a line for each record that was rejected or failed and one for the batch, and its
    metrics."""
    for result in results:
        if result.outcome in (Outcome.REJECTED, Outcome.FAILED):
            logger.warning(
                f"record {result.outcome}",
                extra={
                    "reason": result.reason,
                    "record_id": result.record.event_id,
                    "event_id": result.event_id,
                    "product_id": result.product_id,
                    "function_request_id": request_id,
                },
            )
    counts = Counter(result.outcome for result in results)
    outcomes = {outcome.value: counts[outcome] for outcome in Outcome}
    milliseconds = round(seconds * 1000, 3)
    now = time.time()
    newest = max((result.record.arrived_at for result in results), default=now)
    logger.info(
        "batch",
        extra={
            "records": len(results),
            **outcomes,
            "shards": _extent(results),
            "duration_ms": milliseconds,
            "done_at": now,
            "function_request_id": request_id,
        },
    )
    for outcome, count in outcomes.items():
        metrics.add_metric(f"events_{outcome}", MetricUnit.Count, count)
    if results:
        share = 100 * counts[Outcome.REJECTED] / len(results)
        metrics.add_metric("rejected_share", MetricUnit.Percent, share)
    metrics.add_metric("batch_size", MetricUnit.Count, len(results))
    metrics.add_metric("batch_duration", MetricUnit.Milliseconds, milliseconds)
    metrics.add_metric("newest_event_age", MetricUnit.Seconds, max(0.0, now - newest))
    metrics.flush_metrics()


def _extent(results: Sequence[Result]) -> dict[str, list[str]]:
    """Return the first and the last sequence number of each shard."""
    shards: dict[str, list[str]] = {}
    for result in results:
        shards.setdefault(result.record.shard_id, []).append(result.record.sequence_number)
    return {shard: [min(n, key=_by_size), max(n, key=_by_size)] for shard, n in shards.items()}


def _by_size(digits: str) -> tuple[int, str]:
    return len(digits), digits
