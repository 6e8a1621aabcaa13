"""What a run came to: a table, and what is wrong, a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from long_run.plan import Blow
from long_run.run import Run
from long_run.traffic import Put
from operations.verify.explain import RecordStatus


def lines(run: Run) -> Iterator[str]:
    puts = [put for _, _, put in run.placed]
    seconds = run.delivered_in
    yield from _section("Put", len(puts))
    yield _row("repetitions of an event", sum(put.repeated for put in puts))
    yield _row("invalid", sum(put.event.invalid for put in puts))
    for kind, count in sorted(Counter(put.event.kind for put in puts if _is_plain(put)).items()):
        yield _row(kind, count)
    for ending, count in Counter(put.ending for put in puts if put.ending).most_common():
        yield _row(f"crashing the function: {ending}", count)
    yield ""
    yield "In between"
    for struck in run.struck:
        yield f"  {struck.at:6.0f} s  {struck.blow}, {struck.under_way} records under way"
    before, _ = run.plan.shards
    yield f"            {before} shards before, {run.open_shards} after"
    yield ""
    yield "Time"
    yield f"  delivered in     {seconds:8.1f} s, {len(puts) / seconds:.0f} events/s"
    yield f"  verified in      {run.verified_in:8.1f} s"
    yield ""
    yield "inventory verify"
    yield from (f"  {line}" for line in run.verified.output.splitlines())


def findings(run: Run) -> Iterator[str]:
    """What is wrong; nothing when every record is in one place and every fault has happened."""
    verified = run.verified
    if verified.exit_code != 0:
        yield f"inventory verify ended with {verified.exit_code}"
    if verified.on_the_stream != len(run.placed):
        yield f"{len(run.placed)} records were put, verify found {verified.on_the_stream}"
    expected = run.expected()
    if verified.statuses != expected:
        yield f"verify counted {_counts(verified.statuses)}, expected was {_counts(expected)}"
    if not expected[RecordStatus.DEAD_LETTERED]:
        yield "no record crashed the function"
    blows = [blow for _, blow in run.plan.blows]
    if [struck.blow for struck in run.struck] != blows:
        yield "not all that was planned was done to the pipeline"
    yield from (f"nothing was under way: {s.blow}" for s in run.struck if not s.under_way)
    if Blow.RESHARD in blows and run.open_shards != run.plan.shards[1]:
        yield f"{run.open_shards} shards are open, not {run.plan.shards[1]}"


def _is_plain(put: Put) -> bool:
    return not (put.event.invalid or put.ending)


def _counts(statuses: Counter[RecordStatus]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))


def _section(title: str, count: int) -> Iterator[str]:
    yield f"{title:<42}{count:>8}"


def _row(label: str, count: int) -> str:
    return f"  {label:<40}{count:>8}"
