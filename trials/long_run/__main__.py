"""Many events, many of them bad, on an embedded stack of its own: `make long-run`.

Of the events a fifth are repetitions, 5 % are invalid and 1 % crash the function: they make it
raise an exception (some of them after it has written what came before), end its process, or exceed
its limit. While they are under way the Pipes service is killed twice (kill -9), and the stream is
resharded. Then `inventory verify` is run.

Exit code 1 when it is not green, when it does not find each event where the fold of what was put
has it, or when one of these faults did not happen while events were under way.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path

from embedded.stack import EmbeddedStack
from endings import variant
from inventory_cli.context import packaged_function
from inventory_cli.target import enter
from kept_folder import run_in_folder
from long_run import report
from long_run.plan import Plan
from long_run.run import Run, StuckError, Tell
from servers import pipeline
from stack import EmbeddedBackend

LEAST_EVENTS = 1000


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make long-run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--events", type=int, default=100_000, help="default: %(default)d")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)d")
    options = parser.parse_args()
    if options.events < LEAST_EVENTS:
        parser.error(f"--events is at least {LEAST_EVENTS}: there must be some for each fault")
    tell = partial(print, flush=True)
    tell(f"{options.events} events, seed {options.seed}")
    plan = Plan(options.seed, options.events)
    return run_in_folder("long-run-", lambda folder: long_run(plan, folder, tell), tell)


def long_run(plan: Plan, folder: Path, tell: Tell) -> list[str]:
    """Run it and tell its figures; what is wrong, a line each."""
    with EmbeddedStack(folder, os.environ, time.sleep, tell) as servers:
        enter(servers.variables)
        code = variant(packaged_function())
        backend = EmbeddedBackend(servers)
        with pipeline(backend, plan.settings, code) as stack:
            run = Run(backend, stack, plan, tell)
            try:
                run.carry_out()
            except StuckError as error:
                return [str(error)]
            tell("\n".join(["", *report.lines(run)]))
            return list(report.findings(run))


if __name__ == "__main__":
    sys.exit(main())
