"""All measurements in one run, on an embedded stack of its own: `make bench`.

The trickle comes before the flood: MiniStack's calls take longer the more its streams and logs
hold.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import click

from bench import latency, throughput, write_forms
from bench.figures import PeakMemory, row, section
from bench.tables import fresh_tables
from embedded.interrupts import run_until_stopped
from inventory_cli.context import own_pipeline
from inventory_cli.errors import OneLineCommand

MIB = 1024 * 1024


@click.command(cls=OneLineCommand, help=__doc__)
@click.option("--state", type=click.Path(path_type=Path), default=Path(".inventory"))
def main(state: Path) -> None:
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    processes = {
        "function": lambda command: any("_worker.py" in part for part in command),
        "pipe": lambda command: "eventbridge_pipes" in command,
    }
    with own_pipeline(state, time.sleep) as bench, PeakMemory(processes) as memory:
        bench.deploy()

        section(f"From the put to the row, at {latency.RATE:g} events per second")
        x = latency.measure(bench)
        row("p50", f"{x.p50 * 1000:.1f} ms")
        row("p99", f"{x.p99 * 1000:.1f} ms")
        for name, seconds in (
            ("PutRecords", x.put),
            ("GetRecords", x.get),
            ("Invoke, which reads and writes the row,", x.invoke),
        ):
            row(f"{name} alone, p50", f"{seconds * 1000:.1f} ms")
        row("p50 in sums of these calls", f"{x.p50 / x.calls:.2f}", "wanted: 2 or less")

        section("From the stream to the row, as fast as it goes")
        t = throughput.measure(bench, fresh_tables(bench.clients.dynamodb))
        row(f"{t.events} events of {throughput.PRODUCTS} products", f"{t.seconds:.2f} s")
        row("events per second", f"{t.events / t.seconds:.0f}")
        row("rows written per second", f"{t.rows_written / t.seconds:.0f}")
        row("the same writes alone, per second", f"{t.rows_written / t.seconds_alone:.0f}")
        row("share of the table's own rate", f"{t.share:.2f}", "wanted: 0.5 or more")

        section(f"Forms of {write_forms.ITEMS} guarded writes, one client")
        for form in write_forms.measure(bench):
            seen = f"{form.on_stream} on the table's stream"
            row(f"{form.name}, rows per second", f"{form.rate:.0f}", seen)

        section("Peak memory (resident)")
        row("the function", f"{memory.peaks['function'] / MIB:.0f} MiB")
        row("the pipe", f"{memory.peaks['pipe'] / MIB:.0f} MiB", "wanted: under 150")


if __name__ == "__main__":
    run_until_stopped(lambda: main(prog_name="python -m bench"))
