"""What `docker compose up` prints of the pipeline: each change of the table, and the outcomes.

    python -m inventory_cli.activity

It runs until a signal stops it. DASHBOARD_URL is the address of the page, which it prints too.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from embedded.interrupts import InterruptedRunError, Interrupts
from inventory.items import row_of
from inventory.stock import Row
from inventory_aws.errors import SettingsError
from inventory_aws.shown import shown
from operations.access import Access
from operations.function_log import FunctionLog
from operations.numbers import outcomes
from operations.table_stream import Change, NoStreamError, Start, TableFollower

LOOK_SECONDS = 1.0
SUMMARY_SECONDS = 20.0
DASHBOARD = ("dashboard", 8080)
"""Where the page is on the containers' network. DASHBOARD_URL is its address for a browser."""


def line(record: Change) -> str:
    """Return what became of a row, as one line. The texts in it come from events."""
    before, after = (row_of(dict(i)) if i else None for i in (record.before, record.after))
    return shown(f"{record.keys['product_id']['S']:<6} {_change(before, after)}")


def _change(before: Row | None, after: Row | None) -> str:
    if after is None:
        return (
            f"removed  {before.product_name}, quantity {before.quantity}" if before else "removed"
        )
    if before is None:
        return f"added    {after.product_name}, quantity {after.quantity}"
    name = _step(before.product_name, after.product_name)
    return f"changed  {name}, quantity {_step(before.quantity, after.quantity)}"


def _step(before: object, after: object) -> str:
    return f"{after}" if before == after else f"{before} → {after}"


class Page:
    """The dashboard, whose address is shown as soon as it can be opened."""

    def __init__(self, url: str) -> None:
        self.line = f"Dashboard: {url}"
        self._shown = False

    def look(self) -> None:
        if self._shown:
            return
        with suppress(OSError), socket.create_connection(DASHBOARD, LOOK_SECONDS):
            print(self.line, flush=True)
            self._shown = True


def follow(access: Access, pause: Callable[[float], object], page: Page) -> None:
    """Print what happens from now on. Raises what `pause` and the servers raise."""
    streams = access.clients.table_stream_reader
    table = TableFollower(streams, access.names.table, start=Start.NEWEST)
    log = FunctionLog(access.clients.logs, access.names.function, since=time.time())
    started = summed_up = time.monotonic()
    handled = 0
    while True:
        page.look()
        for record in table.look():
            print(line(record), flush=True)
        now = time.monotonic()
        if now - summed_up >= SUMMARY_SECONDS:
            seconds, summed_up = now - summed_up, now
            before, handled = handled, log.poll().handled
            if handled > before:
                rate, counts = (handled - before) / seconds, outcomes(log.progress.outcomes)
                told = f"{now - started:.0f} s, {rate:.1f} events/s: {counts}. {page.line}"
                print(told, flush=True)
        pause(LOOK_SECONDS)


def main() -> int:
    try:
        access = Access.from_env(os.environ)
    except (SettingsError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 2
    page = Page(os.environ["DASHBOARD_URL"])
    trouble = ""
    with suppress(InterruptedRunError), Interrupts() as interrupts:
        while True:
            try:
                follow(access, interrupts.pause, page)
            except (BotoCoreError, ClientError, NoStreamError) as error:
                if str(error) != trouble:  # an emulator that restarts gives the same for a while
                    trouble = str(error)
                    print(f"Waiting for the table: {trouble}", flush=True)
            interrupts.pause(LOOK_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
