"""What Lambda calls: the composition root of the function, its log and its metrics."""

from __future__ import annotations

import functools
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from inventory.stock import Outcome
from processor.failures import FailuresTopic
from processor.integrity import refuse_damaged
from processor.patience import Patience, budget
from processor.processor import Processor
from processor.records import records_of
from processor.run import Result
from processor.settings import Settings
from processor.store import Store

# In ASCII: half a surrogate pair in an id would end the line before it is written, and some readers
# take U+2028 for the end of it.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "inventory"
logger = Logger(service=SERVICE, json_serializer=json.dumps)
metrics = Metrics(namespace="Inventory", service=SERVICE)

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 10
LONGEST_CALL = CONNECT_TIMEOUT + READ_TIMEOUT
ANSWERING = 3
"""Seconds of an invocation that are kept for what comes after its last call."""

BatchResponse = dict[str, list[dict[str, str]]]


def handler(invocation: Any, context: Any) -> BatchResponse:
    """Handle one batch of Kinesis records.

    Returns {"batchItemFailures": [{"itemIdentifier": …}, …]}, naming each record that was not
    handled and is to be delivered again: a pipe's by its event id, an event source mapping's by
    its sequence number.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    started = time.perf_counter()
    processor = _processor(context.get_remaining_time_in_millis() / 1000)
    results = processor.process(records_of(invocation))
    _report(results, time.perf_counter() - started, getattr(context, "aws_request_id", None))
    return {
        "batchItemFailures": [
            {"itemIdentifier": result.record.item_identifier}
            for result in results
            if result.outcome is Outcome.FAILED
        ]
    }


def _processor(seconds_left: float) -> Processor:
    """It goes on trying what is unavailable for as long as this invocation can."""
    until = time.monotonic() + budget(seconds_left, LONGEST_CALL + ANSWERING)
    patience = Patience(until)
    settings, store, topic = _connections()
    return Processor(
        store.with_patience(patience), topic.with_patience(patience), settings.removal_name_policy
    )


@functools.cache
def _connections() -> tuple[Settings, Store, FailuresTopic]:
    settings = Settings.from_env(os.environ)
    session = boto3.Session()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        # Patience repeats calls: the SDK knows nothing of the time that the invocation has left.
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=settings.table_concurrency,
    )
    # What the store sends is made of checked values: to have botocore check it once more, against
    # its model, would take a third of the function's processor time.
    unchecked = config.merge(Config(parameter_validation=False))
    dynamodb = session.client("dynamodb", config=unchecked)
    dynamodb.meta.events.register("before-parse.dynamodb", refuse_damaged)
    store = Store(dynamodb, settings.tables, settings.table_concurrency)
    topic = FailuresTopic(session.client("sns", config=config), settings.failures_topic_arn)
    return settings, store, topic


def _report(results: Sequence[Result], seconds: float, request_id: str | None) -> None:
    """One line for each record that was rejected or failed, one for the batch, and its metrics."""
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
    newest = max((result.record.arrived_at for result in results), default=time.time())
    logger.info(
        "batch",
        extra={
            "records": len(results),
            **outcomes,
            "shards": _extent(results),
            "duration_ms": milliseconds,
            "done_at": time.time(),
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
    metrics.add_metric("newest_event_age", MetricUnit.Seconds, max(0.0, time.time() - newest))
    metrics.flush_metrics()


def _extent(results: Sequence[Result]) -> dict[str, list[str]]:
    """Of each shard, the first and the last sequence number of the batch."""
    shards: dict[str, list[str]] = {}
    for result in results:
        shards.setdefault(result.record.shard_id, []).append(result.record.sequence_number)
    return {shard: [min(n, key=_by_size), max(n, key=_by_size)] for shard, n in shards.items()}


def _by_size(digits: str) -> tuple[int, str]:
    return len(digits), digits
