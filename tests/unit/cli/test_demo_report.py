"""What the demo says of a run: the latency without the cold start, and what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from inventory.stock import Outcome
from inventory_aws.outbox import Event
from inventory_aws.sender import Accepted
from inventory_cli.commands.demo import MOST_PROBLEMS, Result, latencies, report
from operations.function_log import HandlingTimes


def accepted(number: int, sent_at: float) -> Accepted:
    event = Event(b"{}", "P1", None, "product_added")
    return Accepted(event, "shard-0", str(number), sent_at, sent_at)


def result(*problems: str, warm: tuple[float, ...] = (), cold: tuple[float, ...] = ()) -> Result:
    outcomes = Counter({Outcome.APPLIED: 4})
    return Result(4, 4, outcomes, problems, warm, cold, seconds=2.0)


def test_events_that_waited_for_the_first_batch_do_not_count_as_latency() -> None:
    times = HandlingTimes()
    for first, last, done_at in ((1, 2, 101.5), (3, 4, 102.25)):
        shards = {"shard-0": [str(first), str(last)]}
        times.add({"failed": 0, "shards": shards, "done_at": done_at})
    sent = [accepted(1, 100.0), accepted(2, 100.5), accepted(3, 101.0), accepted(4, 102.0)]
    warm, cold = latencies(sent, range(1, 5), times)
    assert (warm, cold) == ([0.25], [1.0, 1.25, 1.5])


def test_the_cold_start_has_a_line_of_its_own() -> None:
    lines = list(report(result(warm=(0.02, 0.03), cold=(1.0, 1.5))))
    assert "Latency     p50 20 ms, p99 30 ms end to end (2 events)" in lines
    assert "Cold start  up to 1500 ms end to end, while the function started (2 events)" in lines
    assert lines[-1] == "Success: every event has an outcome, and the table is right."


def test_events_of_other_producers_are_counted_apart() -> None:
    beside = replace(result(), outcomes=Counter({Outcome.APPLIED: 6, Outcome.FAILED: 3}))
    assert "            2 events of other producers among them" in list(report(beside))
    assert "of other producers" not in "".join(report(result()))


def test_after_twenty_problems_only_the_number_of_others_is_shown() -> None:
    lines = list(report(result(*["P1: expected no row"] * (MOST_PROBLEMS + 2))))
    assert lines.count("  wrong: P1: expected no row") == MOST_PROBLEMS
    assert lines[-1] == "  … and 2 more"
