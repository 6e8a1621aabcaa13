"""Read the stream, the queues and the table until they agree or stay different."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from inventory.failure_messages import parse_dead_letter, parse_rejection
from inventory.stock import RemovalNamePolicy
from inventory_aws import stream
from inventory_aws.shown import shown
from operations import table
from operations.function_log import STUCK_SECONDS
from operations.queue import Queue
from operations.verify.compare import Comparison, Evidence, compare

if TYPE_CHECKING:
    from mypy_boto3_pipes import EventBridgePipesClient

    from inventory_aws.clients import Clients
    from inventory_aws.names import Names

T = TypeVar("T")

ROUND_SECONDS = 1.0
"""The pause before the evidence is read again."""

DEPLOYMENT_SECONDS = 600
"""More than it takes from the creation of the table to that of the stream."""


def gather(clients: Clients, names: Names) -> Evidence:
    """Read the present evidence, the stream last: it has every event that the others show."""
    rows = table.read(clients.dynamodb, names.table)
    sqs = clients.sqs  # made here: a session makes its clients in one thread
    with ThreadPoolExecutor() as pool:  # reading a queue is a second of listening, mostly
        rejections = pool.submit(_parsed, Queue(sqs, names.rejected_queue), parse_rejection)
        letters = pool.submit(_parsed, Queue(sqs, names.dead_letter_queue), parse_dead_letter)
    created, is_young = stream.created_at(clients.stream_reader, names.stream)
    table_created = clients.dynamodb.describe_table(TableName=names.table)["Table"][
        "CreationDateTime"
    ].timestamp()
    again = made_again(created, table_created, _pipe_created(clients.pipes, names.pipe))
    records = stream.read_all(clients.stream_reader, names.stream)
    return Evidence(
        records, rejections.result(), letters.result(), rows, whole=is_young and not again
    )


def made_again(stream: float, table: float, pipe: float | None) -> bool:
    """Whether the table may have rows of an earlier stream, by when each was created.

    The table is created not long before its stream, and the pipe after it. A pipe that is older
    than the stream was kept where an emulator has forgotten the stream.
    """
    # Some services cut times to the second.
    if pipe is not None and int(table) <= int(pipe) < int(stream):
        return True
    return stream - table > DEPLOYMENT_SECONDS


def _pipe_created(pipes: EventBridgePipesClient, pipe: str) -> float | None:
    """None if there is no pipe, or the user has no access to it."""
    try:
        return pipes.describe_pipe(Name=pipe)["CreationTime"].timestamp()
    except (BotoCoreError, ClientError):
        return None


def _parsed(queue: Queue, parse: Callable[[str], T | None]) -> list[T]:
    return [found for message in queue.peek() if (found := parse(message.body)) is not None]


def differences(
    clients: Clients,
    names: Names,
    policy: RemovalNamePolicy,
    product_ids: Collection[str],
    pause: Callable[[float], object],
) -> list[str]:
    """Return what `inventory verify` finds wrong with these products, a line for each."""
    comparison = settled(
        lambda: gather(clients, names).about(product_ids), policy, STUCK_SECONDS, pause
    )
    return [f"{shown(d.product_id or 'no product')}: {d.problem}" for d in comparison.differences]


def settled(
    read: Callable[[], Evidence],
    policy: RemovalNamePolicy,
    wait: float,
    pause: Callable[[float], object],
    on_wait: Callable[[int, float], object] = lambda differences, seconds: None,
    clock: Callable[[], float] = time.monotonic,
) -> Comparison:
    """Return the comparison once it has no differences, or the same for `wait` seconds.

    Events that the pipe has not delivered yet look like differences: no target says how far the
    pipe is. Events that arrive after the first reading are counted, but not waited for. Before each
    pause, `on_wait` gets the number of differences and for how many seconds they have stayed.
    """
    evidence = read()
    scope = {None, *(record.place for record in evidence.records)}
    wrong: set[object] = set()
    since = clock()
    while True:
        result = compare(evidence, policy)
        result.differences = [d for d in result.differences if d.since in scope]
        if not result.differences:
            return result
        found: set[object] = {difference.key for difference in result.differences}
        if found != wrong:
            wrong, since = found, clock()
        elif clock() - since >= wait:
            return result
        on_wait(len(found), clock() - since)
        pause(ROUND_SECONDS)
        evidence = read()
