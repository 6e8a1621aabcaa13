"""The processor time that the service's code takes for records and for an empty read."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable
from subprocess import PIPE
from typing import Any

import boto3

from bench.pipes.fake import PATTERN, STREAM, TEMPLATE, FakeAws
from bench.pipes.inside import empty_read, way_of_records
from bench.pipes.streams import data
from embedded.environment import isolated, variables

RECORDS = 1000
TIMES = 30
READS = 2000


def of_records() -> tuple[float, float]:
    """Seconds to make 1,000 records of a page, and seconds to filter and transform them.

    The best of several runs: other processes only make a run slower.
    """
    record_of, filter_and_transform = way_of_records(PATTERN, TEMPLATE)
    making, using = [], []
    for _ in range(TIMES):
        entries = [_entry(number) for number in range(RECORDS)]
        begun = time.thread_time()
        records = [record_of(entry) for entry in entries]
        made = time.thread_time()
        rendered = filter_and_transform(records)
        using.append(time.thread_time() - made)
        making.append(made - begun)
        assert len(rendered) == RECORDS
    return min(making), min(using)


def _entry(number: int) -> dict[str, Any]:
    return {
        "SequenceNumber": f"{number:021d}",
        "PartitionKey": f"{number}",
        "ApproximateArrivalTimestamp": 1760000000.123,
        "Data": base64.b64encode(data(number)).decode(),
    }


def of_empty_read() -> tuple[float, float]:
    """Seconds of one GetRecords without records: by the service's client, and by boto3's."""
    with FakeAws(lambda *_: None) as aws:
        environment = isolated(os.environ, variables(aws.url, None))
        argv = [sys.executable, "-m", "bench.pipes.decode"]
        printed = subprocess.run(argv, env=environment, check=True, stdout=PIPE).stdout
        own, of_sdk = map(float, printed.split())
        return own, of_sdk


def _seconds_of(read: Callable[[], object]) -> float:
    read()
    begun = time.process_time()
    for _ in range(READS):
        read()
    return (time.process_time() - begun) / READS


def main() -> None:
    """Print the seconds of both. The server runs in another process and does not count."""
    sdk = boto3.client("kinesis")
    print(
        _seconds_of(empty_read()),
        _seconds_of(lambda: sdk.get_records(StreamARN=STREAM, ShardIterator="0", Limit=RECORDS)),
    )


if __name__ == "__main__":
    main()
