"""The functions of the service that `decode` measures, so that one file imports them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.pipes.fake import QUEUE, STREAM
from bench.pipes.stand import ROLE
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import connect
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinesis import KIND as KINESIS
from eventbridge_pipes.sources.kinesis import record_maker
from eventbridge_pipes.template import Context, Template


def way_of_records(
    pattern: str, template: str
) -> tuple[Callable[[Any], Record], Callable[[list[Record]], list[str]]]:
    """Return two functions: one makes a record of a page's entry, one filters and transforms."""
    record_of = record_maker(Arn.parse(STREAM), "shardId-000000000000", ROLE)
    filter_ = Filter.parse([pattern], KINESIS)
    compiled = Template.parse(template)
    now = time.time()
    context = Context(Pipe("bench", STREAM, STREAM, QUEUE, ROLE, created=now, modified=now), now)

    def filter_and_transform(records: list[Record]) -> list[str]:
        passed = [record for record in records if filter_.passes(record)]
        return compiled.render_all(passed, context)[0]

    return record_of, filter_and_transform


def empty_read() -> Callable[[], object]:
    """Return a function that makes one GetRecords call to the endpoint of the environment."""
    arguments = {"StreamARN": STREAM, "ShardIterator": "0", "Limit": 1000}
    aws = connect()
    calls = aws.of(aws.home).kinesis_calls
    return lambda: calls.call("GetRecords", arguments)
