"""Between the stream and those at its ends: the pipe reads it, the producer puts on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice

import pytest

from faults.effects import (
    altered,
    cut_after,
    cut_before,
    instead,
    partly_put,
    refused,
    slow,
)
from faults.events import Payload, mixed
from faults.line import Line
from faults.plan import Strike, drawn, on
from operations.verify.explain import RecordStatus
from producer.generator import Spec, events

BETWEEN = "stream and its ends"

READ, PLACE, PUT = "GetRecords", "GetShardIterator", "PutRecords"
THROTTLED = refused(400, "ProvisionedThroughputExceededException")
EXPIRED = refused(400, "ExpiredIteratorException")

READING = {
    "read: throttled": [on(READ, THROTTLED, range(4))],
    "read: ends with a 500": [on(READ, refused(500, "InternalFailure"), range(6))],
    "read: slow answers": [on(READ, slow(0.5), range(6))],
    "read: connection lost before": [on(READ, cut_before, drawn(1, 0.4, 12))],
    "read: answer lost": [on(READ, cut_after(), range(6))],
    "read: answer cut in half": [on(READ, cut_after(0.5), range(6))],
    "read: iterator expired": [on(READ, EXPIRED, drawn(2, 0.4, 12))],
    "read: iterator expired, no new one": [
        on(READ, EXPIRED, range(4)),
        on(PLACE, THROTTLED, range(2)),
        on(PLACE, refused(500, "InternalFailure"), range(2)),
    ],
    "read: iterator not valid": [on(READ, refused(400, "InvalidArgumentException"), range(4))],
    "read: answered with a page": [on(READ, instead(b"<html>Welcome</html>"), range(4))],
    "read: answered with {}": [on(READ, instead({}), range(4))],
    "read: half of its JSON": [on(READ, altered(lambda b: b[: len(b) // 2]), range(4))],
}

PUTTING = {
    "put: throttled": [on(PUT, THROTTLED, range(4))],
    "put: ends with a 500": [on(PUT, refused(500, "InternalFailure"), range(4))],
    "put: slow answers": [on(PUT, slow(0.3), range(5))],
    "put: half of each call refused": [on(PUT, partly_put(3), range(10))],
    "put: some fail inside": [on(PUT, partly_put(4, "InternalFailure"), drawn(1, 0.5, 15))],
    "put: connection lost before": [on(PUT, cut_before, drawn(2, 0.4, 10))],
    "put: taken, answer lost": [on(PUT, cut_after(), drawn(3, 0.4, 10))],
    "put: taken, answer cut in half": [on(PUT, cut_after(0.5), drawn(4, 0.4, 10))],
    "put: answered with a page": [on(PUT, instead(b"<html>Welcome</html>"), range(3))],
    "put: taken, half of its JSON": [on(PUT, altered(lambda b: b[: len(b) // 2]), range(3))],
}

SPEC = Spec(seed=8, products=25, invalid_share=0.05)
COUNT = 300


@pytest.mark.parametrize("strikes", READING.values(), ids=READING)
def test_the_pipe_reads_on_where_it_was(strikes: list[Strike], line: Line) -> None:
    line.inject(*strikes)
    line.put(mixed(seed=5))
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


@pytest.mark.parametrize(
    "strikes",
    [
        [on("DescribeStreamSummary", refused(500, "InternalFailure"), range(2))],
        [on("ListShards", refused(400, "LimitExceededException"), range(2))],
    ],
    ids=["start: stream not described", "start: shards not listed"],
)
def test_a_pipe_that_starts_looks_until_it_sees(strikes: list[Strike], line: Line) -> None:
    line.parts.kill_pipes()
    line.inject(*strikes)
    line.put(mixed(seed=6))
    line.parts.start_pipes()
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


@pytest.mark.parametrize("strikes", PUTTING.values(), ids=PUTTING)
def test_the_producer_puts_every_event_and_keeps_the_order(
    strikes: list[Strike], line: Line
) -> None:
    line.inject(*strikes)
    produce(line.parts.proxy.url)
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0
    placed = [(record.partition_key, record.data) for record in line.records()]
    generated = [(e.partition_key, e.payload) for e in islice(events(SPEC), COUNT)]
    assert by_product(dict.fromkeys(placed)) == by_product(generated)


def produce(url: str) -> None:
    """Run the producer until the stream has taken all."""
    spec = ("--seed", SPEC.seed, "--products", SPEC.products, "--invalid-share", SPEC.invalid_share)
    options = [str(o) for o in ("--batch", "--count", COUNT, *spec)]
    ended = subprocess.run(
        [sys.executable, "-m", "producer", *options],
        env={**os.environ, "AWS_ENDPOINT_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def by_product(pairs: Iterable[Payload]) -> dict[str, list[bytes]]:
    """What there is of each product, in its order."""
    found: dict[str, list[bytes]] = {}
    for product, data in pairs:
        found.setdefault(product, []).append(data)
    return found
