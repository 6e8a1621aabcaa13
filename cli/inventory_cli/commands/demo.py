"""`inventory demo`: send events, wait for every outcome, check the table."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from embedded.interrupts import Interrupts
from inventory.stock import Outcome
from inventory_aws.outbox import Event
from inventory_aws.sender import Accepted
from inventory_cli.checked_run import CheckedRun
from inventory_cli.context import Pause, own_pipeline
from inventory_cli.errors import FailedError
from inventory_cli.invocation import typed
from inventory_cli.progress import ProgressLine
from inventory_cli.target import Target, named_target
from operations.access import Access
from operations.function_log import HandlingTimes, Progress, await_outcomes
from operations.numbers import counted, outcomes, percentile
from producer.cli import mix_option
from producer.feed import feed
from producer.generator import Mix, Spec, events
from producer.pace import Pace
from producer.usage import Command, Number, WholeNumber

MOST_PROBLEMS = 20
LOOK_SECONDS = 0.5
"""How often the progress is shown while events are sent: each look costs the emulator time."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run. Latencies are in seconds, from the put to the row, in rising order.

    `cold_latencies` are those of events that waited for the first batch of their shard: the
    function may have had to start for it.
    """

    sent: int
    rows: int
    outcomes: Counter[Outcome]
    problems: Sequence[str]
    latencies: Sequence[float]
    cold_latencies: Sequence[float]
    seconds: float


@click.command(
    cls=Command,
    context_settings={"auto_envvar_prefix": "PRODUCER", "show_default": True},
    epilog="You can set each option with an environment variable, as for `produce`: "
    "PRODUCER_RATE=20 is --rate 20.",
)
@click.option("--count", type=WholeNumber(1, 1_000_000), default=300, help="Events to send.")
@click.option(
    "--rate", type=Number(0, 10_000, min_open=True), default=50, help="Events per second."
)
@click.option("--products", type=WholeNumber(min=1), default=40, help="The number of products.")
@mix_option
@click.option(
    "--invalid-share",
    type=Number(0, 1),
    default=0.05,
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
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - no secret
    generated = islice(events(Spec(seed, products, mix, invalid_share)), count)
    started = time.monotonic()
    embedded = named_target(os.environ) is Target.EMBEDDED
    interrupts = Interrupts("The servers end first." if embedded else "")
    with interrupts, own_pipeline(state, interrupts.pause) as context:
        if embedded:
            click.echo(f"Servers are up ({time.monotonic() - started:.1f} s)")
        context.deploy()
        interrupts.check()
        click.echo(
            f"Sending {counted(count, 'event')} about {counted(products, 'product')}, "
            f"{rate:g} per second"
        )
        with ProgressLine(sys.stdout) as line:

            def show(sent: int, progress: Progress) -> None:
                line.show(f"  sent {sent}/{count}: {outcomes(progress.outcomes)}")

            result = run(context, generated, rate, interrupts.pause, show)
        for text in report(result):
            click.echo(text)
        if result.problems:
            raise FailedError(f"{counted(len(result.problems), 'problem')} found (see above)")
        click.echo(f"Try next: `{typed('demo', f'--seed {seed}')}` sends the same events again.")
        if embedded:
            click.echo(
                f"          `{typed('up')}` keeps the pipeline running, with a live dashboard."
            )


def run(
    pipeline: Access,
    generated: Iterable[Event],
    rate: float,
    pause: Pause,
    show: Callable[[int, Progress], object] = lambda sent, progress: None,
) -> Result:
    """Send `rate` events per second, and follow them to their end.

    `show` gets how many events are sent and what the function has made of them.
    """
    checked = CheckedRun(pipeline, pause)
    next_look = 0.0

    def look() -> Progress:
        progress = checked.log.poll()
        show(len(checked.accepted), progress)
        return progress

    def wait(seconds: float) -> None:
        nonlocal next_look
        if time.monotonic() >= next_look:
            look()
            next_look = time.monotonic() + LOOK_SECONDS
        pause(seconds)

    started = time.monotonic()
    feed(generated, Pace(rate), checked.sender, clock=time.monotonic, wait=wait)
    progress = await_outcomes(checked.accepted, look, pause)
    seconds = time.monotonic() - started
    problems = checked.problems()
    warm, cold = latencies(checked.accepted, checked.expected().applied, checked.times)
    rows = len(checked.own_rows())
    return Result(len(checked.accepted), rows, progress.outcomes, problems, warm, cold, seconds)


def latencies(
    accepted: Sequence[Accepted], applied: Collection[int], times: HandlingTimes
) -> tuple[list[float], list[float]]:
    """Return the latencies of the events that changed a row, from before the put to after the
    write, rising: those since the first batch of their shard was done, and those before."""
    warm: list[float] = []
    cold: list[float] = []
    for a in accepted:
        number = int(a.sequence_number)
        done_at = times.of(a.shard_id, number) if number in applied else None
        if done_at is not None:
            waited = a.sent_at < times.first(a.shard_id)
            (cold if waited else warm).append(done_at - a.sent_at)
    return sorted(warm), sorted(cold)


def report(result: Result) -> Iterator[str]:
    """Return the lines that say what came of a run."""
    yield f"Outcomes    {outcomes(result.outcomes)}"
    others = result.outcomes.total() - result.outcomes[Outcome.FAILED] - result.sent
    if others > 0:
        yield f"            {counted(others, 'event')} of other producers among them"
    rate = result.sent / result.seconds
    yield f"Rate        {rate:.1f} events per second, from first put to last outcome"
    if warm := result.latencies:
        p50, p99 = (f"{percentile(warm, share) * 1000:.0f} ms" for share in (0.5, 0.99))
        yield f"Latency     p50 {p50}, p99 {p99} end to end ({counted(len(warm), 'event')})"
    if cold := result.cold_latencies:
        yield (
            f"Cold start  up to {cold[-1] * 1000:.0f} ms end to end, while the function "
            f"started ({counted(len(cold), 'event')})"
        )
    for problem in result.problems[:MOST_PROBLEMS]:
        yield f"  wrong: {problem}"
    if len(result.problems) > MOST_PROBLEMS:
        yield f"  … and {len(result.problems) - MOST_PROBLEMS} more"
    if not result.problems:
        yield f"Table       {counted(result.rows, 'row')}, exactly what the events produce"
        yield "Success: every event has an outcome, and the table is right."
