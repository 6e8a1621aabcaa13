"""Reads what there is and holds it against the promise, until the pipeline has caught up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from inventory.dead_letters import parse_dead_letter
from inventory.rejections import parse_rejection
from inventory.stock import RemovalNamePolicy
from inventory_cli import table
from inventory_cli.failures import stream
from inventory_cli.failures.queues import Queue
from inventory_cli.verdict import Verdict
from inventory_cli.verification import Evidence, verify

if TYPE_CHECKING:
    import boto3

    from inventory_cli.aws import Clients
    from provisioner import Names

T = TypeVar("T")

ROUND_SECONDS = 1.0
"""The pause before the evidence is read again."""


def gather(session: boto3.Session, clients: Clients, names: Names) -> Evidence:
    """What there is now. The stream comes last: it has every event that the others show."""
    rows = table.read(clients.dynamodb, names.table)
    with ThreadPoolExecutor() as pool:  # a look at a queue is a second of listening, mostly
        rejected = pool.submit(_parsed, clients, names.rejected_queue, parse_rejection)
        dead_lettered = pool.submit(_parsed, clients, names.dead_letter_queue, parse_dead_letter)
    rejections, letters = rejected.result(), dead_lettered.result()
    kinesis = stream.reader(session)
    whole = stream.is_whole(kinesis, names.stream, time.time())
    return Evidence(stream.read_all(kinesis, names.stream), rejections, letters, rows, whole)


def _parsed(clients: Clients, queue: str, parse: Callable[[str], T | None]) -> list[T]:
    """What the messages of a queue say; those that are not ours say nothing."""
    with Queue(clients.sqs, queue).looking() as messages:
        return [found for message in messages if (found := parse(message.body)) is not None]


def settled(
    look: Callable[[], Evidence],
    names: RemovalNamePolicy,
    wait: float,
    pause: Callable[[float], object],
    clock: Callable[[], float] = time.monotonic,
) -> Verdict:
    """The verdict once nothing is wrong, or once the same has been wrong for `wait` seconds.

    What the pipe has yet to deliver looks wrong until it has: no target says how far it is. Events
    that came after the first look are counted, and not waited for.
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
        pause(ROUND_SECONDS)
        evidence = look()
