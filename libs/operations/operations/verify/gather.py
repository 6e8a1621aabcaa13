"""Reads the stream, the queues and the table until they agree or stay different."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from inventory.dead_letters import parse_dead_letter
from inventory.rejections import parse_rejection
from inventory.stock import RemovalNamePolicy
from inventory_aws.shown import shown
from operations import table
from operations.failures import stream
from operations.failures.queues import Queue
from operations.function_log import PATIENCE_SECONDS
from operations.verify.compare import Evidence, verify
from operations.verify.verdict import Verdict

if TYPE_CHECKING:
    from inventory_aws.clients import Clients
    from inventory_aws.names import Names

T = TypeVar("T")

ROUND_SECONDS = 1.0
"""The pause before the evidence is read again."""

DEPLOYMENT_SECONDS = 600
"""More than it takes from the creation of the table to that of the stream."""

ONE_TRY = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})


def gather(session: boto3.Session, clients: Clients, names: Names) -> Evidence:
    """What there is now. The stream comes last: it has every event that the others show."""
    rows = table.read(clients.dynamodb, names.table)
    with ThreadPoolExecutor() as pool:  # a look at a queue is a second of listening, mostly
        rejected = pool.submit(_parsed, clients, names.rejected_queue, parse_rejection)
        dead_lettered = pool.submit(_parsed, clients, names.dead_letter_queue, parse_dead_letter)
    rejections, letters = rejected.result(), dead_lettered.result()
    kinesis = stream.reader(session)
    created, is_young = stream.created_at(kinesis, names.stream)
    table_created = clients.dynamodb.describe_table(TableName=names.table)["Table"][
        "CreationDateTime"
    ].timestamp()
    again = made_again(created, table_created, _pipe_created(session, names.pipe))
    records = stream.read_all(kinesis, names.stream)
    return Evidence(records, rejections, letters, rows, whole=is_young and not again)


def made_again(stream: float, table: float, pipe: float | None) -> bool:
    """Whether the table may have rows of an earlier stream, by when each was created.

    The table is created not long before its stream, and the pipe after it. A pipe that is older
    than both was kept where an emulator has forgotten them.
    """
    # Some services cut times to the second.
    if pipe is not None and int(table) <= int(pipe) < int(stream):
        return True
    return stream - table > DEPLOYMENT_SECONDS


def _pipe_created(session: boto3.Session, pipe: str) -> float | None:
    """None where there is no pipe, or the user has no access to it."""
    pipes = session.client("pipes", config=ONE_TRY)
    try:
        return pipes.describe_pipe(Name=pipe)["CreationTime"].timestamp()
    except (BotoCoreError, ClientError):
        return None


def _parsed(clients: Clients, queue: str, parse: Callable[[str], T | None]) -> list[T]:
    """What the messages of a queue say; those that are not ours say nothing."""
    with Queue(clients.sqs, queue).looking() as messages:
        return [found for message in messages if (found := parse(message.body)) is not None]


def differences(
    clients: Clients,
    names: Names,
    policy: RemovalNamePolicy,
    product_ids: Collection[str],
    pause: Callable[[float], object],
) -> list[str]:
    """What `inventory verify` finds wrong with these products, a line for each.

    It knows the events of all producers.
    """
    session = boto3.Session()
    verdict = settled(
        lambda: gather(session, clients, names).about(product_ids), policy, PATIENCE_SECONDS, pause
    )
    return [f"{shown(d.product_id or 'no product')}: {d.problem}" for d in verdict.differences]


def settled(
    look: Callable[[], Evidence],
    names: RemovalNamePolicy,
    wait: float,
    pause: Callable[[float], object],
    tell: Callable[[int, float], object] = lambda differences, seconds: None,
    clock: Callable[[], float] = time.monotonic,
) -> Verdict:
    """Return the verdict once there are no differences, or once the same differences have stayed
    for `wait` seconds.

    Events that the pipe has not delivered yet look like differences: no target says how far the
    pipe is. Events that came after the first look are counted, but not waited for. Before each
    pause, `tell` gets the number of differences and for how many seconds they have stayed.
    """
    evidence = look()
    scope = {record.place for record in evidence.records}
    wrong: set[object] = set()
    since = clock()
    while True:
        verdict = verify(evidence, names).about(scope)
        if not verdict.differences:
            return verdict
        found: set[object] = {difference.key for difference in verdict.differences}
        if found != wrong:
            wrong, since = found, clock()
        elif clock() - since >= wait:
            return verdict
        tell(len(found), clock() - since)
        pause(ROUND_SECONDS)
        evidence = look()
