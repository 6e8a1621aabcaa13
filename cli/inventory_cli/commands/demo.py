"""`inventory demo`."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import click

from inventory_cli.errors import FailedError


@click.command()
@click.option("--count", type=click.IntRange(1, 1_000_000), default=300, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(0, 10_000, min_open=True),
    default=50,
    show_default=True,
    help="Events per second.",
)
@click.option(
    "--products",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Few enough that products are changed and removed, not only added.",
)
@click.option(
    "--invalid-share",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of events that are broken on purpose.",
)
@click.option("--seed", type=int, help="The same seed sends the same events.")
@click.pass_obj
def demo(
    state: Path, count: int, rate: float, products: int, invalid_share: float, seed: int | None
) -> None:
    """Send events through the whole pipeline and prove the table right.

    On the embedded target in a stack of its own, which is gone afterwards. Exits with 0 when every
    event has its outcome and the table equals the fold of the events, else with 1.
    """
    from inventory_cli.demo import Plan, run
    from inventory_cli.function_log import Progress
    from inventory_cli.interrupts import Interrupts
    from inventory_cli.narration import ProgressLine, conclusion, outcomes
    from inventory_cli.target import Target, chosen_by_name
    from inventory_cli.workbench import on_own_target
    from producer.generator import Spec

    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - no secret
    plan = Plan(Spec(seed, products, invalid_share=invalid_share), count, rate)
    started = time.monotonic()

    def elapsed() -> str:
        return f"({time.monotonic() - started:.1f} s)"

    with Interrupts() as interrupts, on_own_target(state, interrupts.pause) as bench:
        if chosen_by_name(os.environ) is Target.EMBEDDED:
            click.echo(f"Servers are up {elapsed()}")
        bench.provision(lambda change: click.echo(f"  {change}"))
        interrupts.check()
        click.echo(f"Resources are ready {elapsed()}")
        click.echo(
            f"Sending {count} events of {products} products, {rate:g} a second "
            f"(the same again: --seed {seed})"
        )
        with ProgressLine(sys.stdout) as line:

            def tell(put: int, progress: Progress) -> None:
                line.show(f"  put {put}/{count}, {outcomes(progress.outcomes)}")

            verdict = run(plan, bench.clients, bench.names, bench.policy, interrupts.pause, tell)
        for text in conclusion(verdict):
            click.echo(text)
        if verdict.problems:
            raise FailedError(f"{len(verdict.problems)} things are not as they must be (above)")
