"""Events per second from the stream to the rows, beside what the table alone can take."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from botocore.config import Config

from bench.figures import row, section, timed, until
from bench.write_forms import fresh_tables
from inventory.event import parse_record
from inventory.stock import Removal, RemovalNamePolicy, Row, is_guarded
from inventory_aws.sender import Accepted, Sender
from inventory_cli.context import Context
from operations.function_log import FunctionLog, furthest
from processor.calls import Deadline
from processor.product_batch import ProductBatch, RecordedEvent
from processor.records import Record
from processor.store import Store
from processor.writes import Change, ProductState
from producer.generator import Spec, events

EVENTS = 20_000
PRODUCTS = 10_000


def measure(bench: Context) -> None:
    """Put the events while the pipe is stopped, time it from its start to the last outcome, then
    time the very writes that its batches come to, in the same form, on an empty table."""
    section("From the stream to the row, as fast as it goes")
    pipes, name = bench.clients.session.client("pipes"), bench.names.pipe
    pipes.stop_pipe(Name=name)
    until(lambda: pipes.describe_pipe(Name=name)["CurrentState"] == "STOPPED")
    accepted = _put(bench)
    last = furthest((a.shard_id, int(a.sequence_number)) for a in accepted)

    log = FunctionLog(bench.clients.logs, bench.names.function, since=time.time())
    started = time.perf_counter()
    pipes.start_pipe(Name=name)
    until(lambda: log.poll().reaches(last))
    seconds = time.perf_counter() - started

    batches = _writes(accepted, int(bench.settings.parameters["BatchSize"]))
    # The client as the function has it.
    client = bench.clients.session.client("dynamodb", config=Config(parameter_validation=False))
    store = Store(client, fresh_tables(client), ThreadPoolExecutor(4), Deadline(math.inf))
    alone, undone = timed(lambda: [store.write(changes) for changes in batches])
    if any(undone):
        raise RuntimeError("the table did not take some writes")
    rows = sum(map(len, batches))
    row(f"{EVENTS} events of {PRODUCTS} products", f"{seconds:.2f} s")
    row("events per second", f"{EVENTS / seconds:.0f}")
    row("rows written per second", f"{rows / seconds:.0f}")
    row("the same writes alone, per second", f"{rows / alone:.0f}")
    row("share of the table's own rate", f"{alone / seconds:.2f}", "wanted: 0.5 or more")


def _put(bench: Context) -> list[Accepted]:
    accepted: list[Accepted] = []
    sender = Sender(
        bench.clients.kinesis,
        bench.names.stream,
        on_accepted=accepted.append,
        clock=time.monotonic,
        wait=time.sleep,
    )
    sender.send(islice(events(Spec(seed=1, products=PRODUCTS)), EVENTS))
    return accepted


def _writes(accepted: list[Accepted], batch_size: int) -> list[list[Change]]:
    """The writes of each batch, as the function decides them."""
    shards: dict[str, list[Accepted]] = {}
    for a in sorted(accepted, key=lambda a: int(a.sequence_number)):
        shards.setdefault(a.shard_id, []).append(a)
    rows: dict[str, Row | None] = {}
    removals: dict[str, Removal] = {}
    batches = []
    for shard in shards.values():
        for start in range(0, len(shard), batch_size):
            products: dict[str, list[RecordedEvent]] = {}
            for a in shard[start : start + batch_size]:
                key, number = a.event.partition_key, a.sequence_number
                event = parse_record(a.event.payload, key, int(number))
                record = Record(f"{a.shard_id}:{number}", number, key, "", 0.0)
                products.setdefault(event.product_id, []).append((record, event))
            changes = []
            for product_id, entries in products.items():
                before = rows.get(product_id)
                removed = None if is_guarded(before) else removals.get(product_id)
                state = ProductState(before, removed)
                batch = ProductBatch.of(entries, state, RemovalNamePolicy.IGNORE)
                if (change := batch.change) is not None:
                    changes.append(change)
                    rows[product_id] = batch.steps[-1].row
                    if isinstance(change.after, Removal):
                        removals[product_id] = change.after
            batches.append(changes)
    return batches
