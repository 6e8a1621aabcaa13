"""`inventory demo`."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import FailedError
from producer.cli import mix_option
from producer.usage import Command, Number, WholeNumber

if TYPE_CHECKING:
    from inventory_cli.demo import Verdict
    from producer.generator import Mix

MOST_PROBLEMS = 20


@click.command(
    cls=Command,
    context_settings={"auto_envvar_prefix": "PRODUCER"},
    epilog="You can set each option with an environment variable, as for `produce`: "
    "PRODUCER_RATE=20 is --rate 20.",
)
@click.option(
    "--count",
    type=WholeNumber(1, 1_000_000),
    default=300,
    show_default=True,
    help="How many events to send.",
)
@click.option(
    "--rate",
    type=Number(0, 10_000, min_open=True),
    default=50,
    show_default=True,
    help="Events per second.",
)
@click.option(
    "--products",
    type=WholeNumber(min=1),
    default=40,
    show_default=True,
    help="How many products the events are about.",
)
@mix_option
@click.option(
    "--invalid-share",
    type=Number(0, 1),
    default=0.05,
    show_default=True,
    help="The share of events that are invalid on purpose.",
)
@click.option("--seed", type=int, help="Repeat a run: a seed always gives the same events.")
@click.pass_obj
def demo(
    state: Path,
    *,
    count: int,
    rate: float,
    products: int,
    mix: Mix,
    invalid_share: float,
    seed: int | None,
) -> None:
    """Run the pipeline once and check the resulting table.

    It sends events through the whole pipeline, waits until each has an outcome, and compares the
    table with what the events should produce. On the embedded target it starts servers of its own
    and deletes their data at the end. It exits with 0 if all is right, else with 1.
    """
    from embedded.interrupts import Interrupts
    from inventory_cli.demo import Plan, run
    from inventory_cli.progress import ProgressLine
    from inventory_cli.target import Target, chosen_by_name
    from inventory_cli.workbench import on_own_target
    from operations.function_log import Progress
    from operations.words import counted, outcomes
    from producer.generator import Spec

    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - no secret
    plan = Plan(Spec(seed, products, mix, invalid_share), count, rate)
    started = time.monotonic()
    embedded = chosen_by_name(os.environ) is Target.EMBEDDED
    why_not_yet = "The servers end first." if embedded else ""
    with Interrupts(why_not_yet) as interrupts, on_own_target(state, interrupts.pause) as bench:
        if embedded:
            click.echo(f"Servers are up ({time.monotonic() - started:.1f} s)")
        bench.deploy_in_short()
        interrupts.check()
        click.echo(
            f"Sending {counted(count, 'event')} about {counted(products, 'product')}, "
            f"{rate:g} per second"
        )
        with ProgressLine(sys.stdout) as line:

            def tell(put: int, progress: Progress) -> None:
                line.show(f"  sent {put}/{count}: {outcomes(progress.outcomes)}")

            verdict = run(plan, bench.clients, bench.names, bench.policy, interrupts.pause, tell)
        for text in conclusion(verdict):
            click.echo(text)
        if verdict.problems:
            found = counted(len(verdict.problems), "problem")
            raise FailedError(f"{found} found (see above)")
        for text in _next_steps(seed, embedded):
            click.echo(text)


def conclusion(verdict: Verdict) -> Iterator[str]:
    """Return the lines that say what came of a run."""
    from inventory.stock import Outcome
    from operations.words import counted, outcomes

    total = verdict.expected.outcomes.total()
    yield f"Outcomes    {outcomes(verdict.outcomes)}"
    if (others := verdict.outcomes.total() - verdict.outcomes[Outcome.FAILED] - total) > 0:
        yield f"            {counted(others, 'event')} of other producers among them"
    rate = total / verdict.seconds
    yield f"Rate        {rate:.1f} events per second, from first put to last outcome"
    if verdict.latencies:
        p50, p99 = (f"{verdict.latency(share) * 1000:.0f} ms" for share in (0.5, 0.99))
        warm = counted(len(verdict.latencies), "event")
        yield f"Latency     p50 {p50}, p99 {p99} end to end ({warm})"
    if cold := verdict.cold_latencies:
        yield (
            f"Cold start  up to {cold[-1] * 1000:.0f} ms end to end, while the function "
            f"started ({counted(len(cold), 'event')})"
        )
    for problem in verdict.problems[:MOST_PROBLEMS]:
        yield f"  wrong: {problem}"
    if len(verdict.problems) > MOST_PROBLEMS:
        yield f"  … and {len(verdict.problems) - MOST_PROBLEMS} more"
    if not verdict.problems:
        rows = counted(len(verdict.expected.rows), "row")
        yield f"Table       {rows}, exactly what the events produce"
        yield "Success: every event has an outcome, and the table is right."


def _next_steps(seed: int, embedded: bool) -> Iterator[str]:
    from inventory_cli.invocation import typed

    yield f"Try next: `{typed('demo', f'--seed {seed}')}` sends the same events again."
    if embedded:
        yield f"          `{typed('up')}` keeps the pipeline running, with a live dashboard."
