"""A run of the demo: put events, wait for every outcome, check the table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil, inf

from inventory.stock import Outcome, RemovalNamePolicy
from inventory_aws.clients import Clients
from inventory_aws.names import Names
from inventory_aws.sender import Accepted, Sender
from operations import table
from operations.expectation import Expectation, expect
from operations.function_log import (
    PATIENCE_SECONDS,
    POLL_SECONDS,
    FunctionLog,
    Progress,
    await_outcomes,
)
from operations.handling_times import HandlingTimes
from operations.rejected import RejectedQueue
from operations.verify.gather import differences
from operations.words import counted
from producer.feed import feed
from producer.generator import Spec, events
from producer.pace import Pace

LOOK_SECONDS = 0.5
"""How often the progress is looked at while events are sent: each look costs the emulator time."""

Pause = Callable[[float], object]
Tell = Callable[[int, Progress], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, and how fast (events per second)."""

    spec: Spec
    count: int
    rate: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a run. Latencies are in seconds, from the put to the row, in rising order.

    `cold_latencies` are those of events that waited for the first batch of their shard: the
    function may have had to start for it.
    """

    expected: Expectation
    outcomes: Counter[Outcome]
    problems: Sequence[str]
    latencies: Sequence[float]
    cold_latencies: Sequence[float]
    seconds: float

    def latency(self, share: float) -> float:
        """The latency that `share` of the events were within; needs one event at least."""
        return percentile(self.latencies, share)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of `values` are within; needs one value at least."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def run(
    plan: Plan, clients: Clients, names: Names, policy: RemovalNamePolicy, pause: Pause, tell: Tell
) -> Verdict:
    """Send what `plan` says and follow it to its end.

    It judges the products that it has sent events about. `tell` hears, as it goes, how many events
    are put and what the function has made of them. Whatever `pause` raises ends the run.
    """
    before = table.read(clients.dynamodb, names.table)
    removals = table.read_removals(clients.dynamodb, names.removals_table)
    times = HandlingTimes()
    log = FunctionLog(clients.logs, names.function, since=time.time(), on_batch=times.add)
    rejected = RejectedQueue(clients.sqs, names.rejected_queue)
    accepted: list[Accepted] = []

    def look() -> Progress:
        progress = log.poll()
        tell(len(accepted), progress)
        return progress

    started = time.monotonic()
    _put(plan, clients, names.stream, accepted.append, _looking(pause, look))
    progress = await_outcomes(accepted, look, pause)
    seconds = time.monotonic() - started

    own = {a.event.partition_key for a in accepted}
    records = [(int(a.sequence_number), a.event.partition_key, a.event.payload) for a in accepted]
    expected = expect(table.of(own, before), records, policy, removals)
    rows = table.of(own, table.read(clients.dynamodb, names.table))
    if look().handled > len(accepted):  # another producer sends events too
        problems = differences(clients, names, policy, own, pause)
        expected = replace(expected, rows=rows)
    else:
        problems = _missing(expected, progress, rejected, pause)
        problems += table.changes(expected.rows, rows)
    warm, cold = latencies(accepted, expected, times)
    return Verdict(expected, progress.outcomes, problems, warm, cold, seconds)


def latencies(
    accepted: Sequence[Accepted], expected: Expectation, times: HandlingTimes
) -> tuple[list[float], list[float]]:
    """Return the latencies of the events that changed a row, from before the put to after the
    write, rising: those since the first batch of their shard was done, and those before."""
    warm: list[float] = []
    cold: list[float] = []
    for a in accepted:
        number = int(a.sequence_number)
        done_at = times.of(a.shard_id, number) if number in expected.applied else None
        if done_at is not None:
            waited = a.sent_at < times.first(a.shard_id)
            (cold if waited else warm).append(done_at - a.sent_at)
    return sorted(warm), sorted(cold)


def _put(
    plan: Plan,
    clients: Clients,
    stream: str,
    on_accepted: Callable[[Accepted], None],
    wait: Pause,
) -> None:
    sender = Sender(
        clients.kinesis,
        stream,
        on_accepted=on_accepted,
        clock=time.time,  # to be held against the function's
        wait=wait,
    )
    feed(
        islice(events(plan.spec), plan.count),
        Pace(plan.rate),
        sender,
        clock=time.monotonic,
        wait=wait,
    )


def _looking(pause: Pause, look: Callable[[], Progress]) -> Pause:
    """`pause`, with a look at the progress now and then."""
    looks = _at_most_every(LOOK_SECONDS)

    def wait(seconds: float) -> None:
        if next(looks):
            look()
        pause(seconds)

    return wait


def _at_most_every(seconds: float) -> Iterator[bool]:
    last = -inf
    while True:
        due = time.monotonic() - last >= seconds
        if due:
            last = time.monotonic()
        yield due


def _missing(
    expected: Expectation, progress: Progress, rejected: RejectedQueue, pause: Pause
) -> list[str]:
    """Return what has not arrived; the rejected queue may lag behind the function."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not expected.rejected <= rejected.poll() and time.monotonic() < deadline:
        pause(POLL_SECONDS)
    events_left = expected.outcomes.total() - progress.handled
    rejected_left = len(expected.rejected - rejected.sequence_numbers)
    problems = [f"{counted(events_left, 'event')} without an outcome"] if events_left > 0 else []
    if rejected_left:
        problems += [f"{counted(rejected_left, 'rejected event')} not in the rejected queue"]
    return problems
