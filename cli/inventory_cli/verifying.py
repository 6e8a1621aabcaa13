"""Reads what there is and holds it against the promise, until the pipeline has caught up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from inventory.stock import RemovalNamePolicy
from inventory_cli import table
from inventory_cli.failures import stream
from inventory_cli.failures.dead_letters import parse_dead_letter
from inventory_cli.failures.queues import Queue
from inventory_cli.failures.rejections import parse_rejection
from inventory_cli.verdict import Verdict
from inventory_cli.verification import Evidence, verify

if TYPE_CHECKING:
    import boto3

    from inventory_cli.aws import Clients
    from provisioner import Names

ROUND_SECONDS = 1.0
"""The pause before the evidence is read again."""


def gather(session: boto3.Session, clients: Clients, names: Names) -> Evidence:
    """What there is now. The stream comes last: it has every event that the others show."""
    rows = table.read(clients.dynamodb, names.table)
    with Queue(clients.sqs, names.rejected_queue).looking() as messages:
        rejections = [r for m in messages if (r := parse_rejection(m.body)) is not None]
    with Queue(clients.sqs, names.dead_letter_queue).looking() as messages:
        letters = [d for m in messages if (d := parse_dead_letter(m.body)) is not None]
    kinesis = stream.reader(session)
    whole = stream.is_whole(kinesis, names.stream, time.time())
    return Evidence(stream.read_all(kinesis, names.stream), rejections, letters, rows, whole)


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
