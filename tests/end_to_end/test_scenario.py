"""The documented operations, one by one, on the servers of each kind."""

from __future__ import annotations

import time
from itertools import islice

from inventory.stock import Outcome, RemovalNamePolicy
from inventory_cli.checked_run import CheckedRun
from inventory_cli.commands.scenario import documented, play, send
from operations.access import Access
from producer.generator import Spec, events
from stack import Stack

IGNORE = RemovalNamePolicy.IGNORE


def test_beside_another_producer_it_judges_its_own_products_only(stack: Stack) -> None:
    others = [(e.partition_key, e.payload) for e in islice(events(Spec(seed=8, products=15)), 30)]

    def pause(seconds: float) -> None:
        if others:  # they are handled while the scenario waits for its outcomes
            placed = stack.put(others)
            others.clear()
            stack.await_handled(placed)
        time.sleep(seconds)

    run = CheckedRun(Access(stack.clients, stack.names, IGNORE), pause)
    operations = [play(run, event) for event in documented("table")[:2]]
    assert len(operations[-1][1]) > 2
    assert run.problems() == []


def test_the_documented_operations_leave_the_documented_tables(stack: Stack) -> None:
    run = CheckedRun(Access(stack.clients, stack.names, IGNORE), time.sleep)
    send(run, documented("table"))
    assert len(run.rows()) == 7
    assert run.rows()["P3"].product_name == "Tablet"
    outcomes, tables = zip(*(play(run, event) for event in documented("operations")), strict=True)
    assert [len(rows) for rows in tables] == [7, 7, 8, 7, 7, 6]
    assert [*outcomes] == [
        Outcome.APPLIED,
        Outcome.APPLIED,
        Outcome.APPLIED,
        Outcome.APPLIED,
        Outcome.NOT_FOUND,
        Outcome.APPLIED,
    ]
    assert tables[0]["P3"].product_name == "Headphones"
    assert tables[1]["P8"].quantity == 50
    assert not {"P3", "P4"} & tables[-1].keys()
    assert run.problems() == []
