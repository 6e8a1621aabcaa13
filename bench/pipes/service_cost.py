"""What the service's own code takes: processor time for records and for an empty read, and peak
memory while it delivers large records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import boto3

from bench.figures import kinesis_record, peak_memory, until
from bench.pipes.fake import FUNCTION, PATTERN, PIPE, QUEUE, STREAM, TEMPLATE, FakeAws, beside
from bench.pipes.servers import ROLE
from bench.pipes.streams import data
from embedded.environment import isolated, variables
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import connect
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources.kinesis import KIND as KINESIS
from eventbridge_pipes.sources.kinesis import record_maker
from eventbridge_pipes.template import Context, Template

RECORDS = 1000
TIMES = 30
READS = 2000

BACKLOG_RECORDS = 500
BACKLOG_BYTES = 240_000
LARGE_BYTES = 900_000
PLACES = 800
BATCH = 10


def of_filter_and_template() -> float:
    """Return the seconds to filter and transform 1,000 records.

    The best of several runs: other processes only make a run slower.
    """
    record_of = record_maker(Arn.parse(STREAM), "shardId-000000000000", ROLE)
    filter_, template = Filter.parse([PATTERN], KINESIS), Template.parse(TEMPLATE)
    now = time.time()
    context = Context(Pipe("bench", STREAM, STREAM, QUEUE, ROLE, created=now, modified=now), now)
    taken = []
    for _ in range(TIMES):
        pages = (kinesis_record(n, f"{n}", data(n), 1760000000.123) for n in range(RECORDS))
        records = [record_of(raw) for raw in pages]
        begun = time.thread_time()
        passed = [record for record in records if filter_.passes(record)]
        rendered = template.render_all(passed, context)[0]
        taken.append(time.thread_time() - begun)
        assert len(rendered) == RECORDS
    return min(taken)


def of_empty_read() -> tuple[float, float]:
    """Return the seconds of a GetRecords without records: by the service's client, by boto3's."""
    with FakeAws(lambda *_: None) as aws:
        environment = isolated(os.environ, variables(aws.url, None))
        argv = [sys.executable, "-m", "bench.pipes.service_cost"]
        printed = subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE).stdout
        own, of_sdk = map(float, printed.split())
        return own, of_sdk


def _seconds_of(read: Callable[[], object]) -> float:
    read()
    begun = time.process_time()
    for _ in range(READS):
        read()
    return (time.process_time() - begun) / READS


def of_backlog() -> int:
    """Return the peak bytes while the service delivers 120 MB from one shard to a function."""
    return _peak([_record(BACKLOG_BYTES)] * BACKLOG_RECORDS, BATCH, None)


def of_large_template() -> int:
    """Return the peak bytes while a template contains a record of 900 KB 800 times.

    No function takes that much. A small record follows: when it arrives, the pipe has given up
    the large one.
    """
    template = f"[{','.join(['<$.data>'] * PLACES)}]"
    return _peak([_record(LARGE_BYTES), _record(100)], 1, template)


def _record(size: int) -> bytes:
    return json.dumps("x" * size).encode()


def _peak(records: Sequence[bytes], batch: int, template: str | None) -> int:
    arrived = [0]

    def watch(operation: str, count: int) -> None:
        if operation == "Invoke":
            arrived.append(count)

    with FakeAws(watch) as aws, beside(aws) as servers:
        aws.put(*records)
        servers.create_pipe(PIPE, STREAM, FUNCTION, batch, retries=0, template=template)
        due = 1 if template else len(records)
        until(lambda: sum(arrived) >= due)
        return peak_memory(servers.pipes.pid)


def main() -> None:
    """Print the seconds of both reads. The server runs in another process and does not count."""
    aws, sdk = connect(), boto3.client("kinesis")
    calls = aws.of(aws.home).kinesis_calls
    arguments: dict[str, Any] = {"StreamARN": STREAM, "ShardIterator": "0", "Limit": RECORDS}
    print(
        _seconds_of(lambda: calls.call("GetRecords", arguments)),
        _seconds_of(lambda: sdk.get_records(**arguments)),
    )


if __name__ == "__main__":
    main()
