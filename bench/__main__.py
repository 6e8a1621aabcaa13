"""All measurements in one run, on an embedded stack of its own: `make bench`.

The trickle comes before the flood: MiniStack's calls take longer the more its streams and logs
hold.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import click
import psutil

from bench import latency, throughput, write_forms
from bench.figures import peak_memory, row, section
from bench.stopping import run_until_stopped
from inventory_cli.context import own_pipeline
from inventory_cli.errors import OneLineCommand

MIB = 1024 * 1024


@click.command(cls=OneLineCommand, help=__doc__)
@click.option("--state", type=click.Path(path_type=Path), default=Path(".inventory"))
def main(state: Path) -> None:
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    with own_pipeline(state, time.sleep) as bench:
        bench.deploy()
        latency.measure(bench)
        throughput.measure(bench)
        write_forms.measure(bench)
        section("Peak memory (resident)")
        row("the function", f"{_peak('_worker.py') / MIB:.0f} MiB")
        row("the pipe", f"{_peak('eventbridge_pipes') / MIB:.0f} MiB", "wanted: under 150")


def _peak(program: str) -> int:
    """Return the largest peak, in bytes, of the processes that run this program."""
    children = psutil.Process().children(recursive=True)
    found = [each for each in children if any(part.endswith(program) for part in each.cmdline())]
    return max(peak_memory(process.pid) for process in found)


if __name__ == "__main__":
    run_until_stopped(lambda: main(prog_name="python -m bench"))
