"""Pipes at work for minutes, while everything goes wrong that can: `make soak`.

A stream of 4 shards is split and merged while it is written. Two services read it, each with two
pipes: every record to a Lambda function, by four lanes a shard, and some of them, by a filter, to
a FIFO queue. One service is killed again and again (kill -9); the other lives, so that its memory
can be watched. The stream and the targets, which are stand-ins in this process, refuse calls, cut
connections, answer late, and fail some of the records, by a plan that the seed decides.

Exit code 1 when a record was lost, came in another order than that of its key, came again though
the position was past it, or was altered; or when memory grew after the first minute.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kept_folder import run_in_folder
from soak import report
from soak.memory import growth
from soak.run import prepared


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)d")
    parser.add_argument(
        "--rate", type=float, default=200.0, help="records per second (default: %(default)g)"
    )
    options = parser.parse_args()
    tell = partial(print, flush=True)
    tell(f"{options.minutes:g} minutes, seed {options.seed}, {options.rate:g} records per second")
    return run_in_folder(
        "soak-",
        lambda folder: soak(options.seed, options.minutes * 60, options.rate, folder, tell),
        tell,
    )


def soak(
    seed: int, seconds: float, rate: float, folder: Path, tell: Callable[[str], None]
) -> list[str]:
    """Run it and tell its figures; what went wrong, a line each."""
    with prepared(seed, seconds, rate, folder) as run:
        run.run(tell)
        verdicts = run.verdicts()
        surprises = [line for each in run.worlds for line in each.surprises()]
    memory = growth(run.steady.memory, seconds)
    tell("\n".join(report.lines(run, verdicts, memory)))
    return report.findings(verdicts, memory, surprises)


if __name__ == "__main__":
    sys.exit(main())
