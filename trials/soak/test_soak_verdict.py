"""The judge of the soak: each thing that a pipe may do wrong is found, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from soak.evidence import Call, Evidence, Expected, GivenUp
from soak.repetition import SETTLING
from soak.surprises import surprises
from soak.verdict import Finding, verdict

KILLED = 100.0
LONG_BEFORE = KILLED - SETTLING - 10
JUST_BEFORE = KILLED - SETTLING / 2


def expected(*numbers: int, poison: Sequence[int] = ()) -> tuple[Expected, ...]:
    """All of one shard and one key."""
    return tuple(Expected(n, "shard", "key", n in poison) for n in numbers)


def call(
    *records: int,
    life: int = 0,
    at: float = 1.0,
    taken: Sequence[int] | None = None,
    lost: bool = False,
    altered: Sequence[int] = (),
) -> Call:
    """A call that is answered at once. `taken` are all of `records` when it is left out."""
    done = frozenset(records if taken is None else taken)
    return Call(life, at, records, done, None if lost else at, tuple(altered))


def findings(evidence: Evidence) -> dict[Finding, tuple[int, ...]]:
    return dict(verdict(evidence).findings)


def test_what_was_delivered_once_and_in_order_is_well() -> None:
    found = verdict(Evidence(expected(1, 2, 3), [call(1, 2), call(3, at=2.0)]))
    assert found.findings == {}
    assert (found.expected, found.delivered, found.deliveries, found.repeated) == (3, 3, 3, 0.0)


def test_a_record_that_never_came_is_lost() -> None:
    assert findings(Evidence(expected(1, 2), [call(1)])) == {Finding.LOST: (2,)}


def test_a_record_that_only_failed_is_lost() -> None:
    assert findings(Evidence(expected(1, 2), [call(1, 2, taken=[1])])) == {Finding.LOST: (2,)}


def test_poison_that_was_given_up_on_is_not_lost() -> None:
    given_up = [GivenUp(0, (2,), answered=1.5)]
    evidence = Evidence(expected(1, 2, poison=[2]), [call(1, 2, taken=[1])], given_up)
    assert findings(evidence) == {}
    assert verdict(evidence).given_up == 1


def test_other_records_are_not_to_be_given_up_on() -> None:
    evidence = Evidence(expected(1), [call(1, taken=[])], [GivenUp(0, (1,), answered=2.0)])
    assert findings(evidence) == {Finding.DROPPED: (1,)}


def test_poison_cannot_be_delivered() -> None:
    assert findings(Evidence(expected(1, poison=[1]), [call(1)])) == {Finding.POISONED: (1,)}


def test_what_the_filter_leaves_out_is_not_to_be_sent() -> None:
    assert findings(Evidence(expected(1), [call(1, 7)])) == {Finding.UNEXPECTED: (7,)}


def test_a_record_in_other_words_is_found() -> None:
    assert findings(Evidence(expected(1), [call(1, altered=[1])])) == {Finding.ALTERED: (1,)}


@pytest.mark.parametrize(
    "calls",
    [
        [call(2), call(1, at=2.0)],
        [call(2, 1)],
        [call(1, 2, taken=[2]), call(1, at=2.0)],
    ],
    ids=["in two calls", "in one", "by way of a failure"],
)
def test_a_record_after_a_later_one_of_its_key_is_out_of_order(calls: list[Call]) -> None:
    assert findings(Evidence(expected(1, 2), calls)) == {Finding.DISORDERED: (1,)}


def test_keys_have_no_order_among_each_other() -> None:
    records = (Expected(1, "shard", "a"), Expected(2, "shard", "b"))
    assert findings(Evidence(records, [call(2), call(1, at=2.0)])) == {}


def test_a_repetition_is_not_out_of_order() -> None:
    calls = [call(1, 2, lost=True), call(1, 2, at=2.0)]
    found = verdict(Evidence(expected(1, 2), calls))
    assert found.findings == {}
    assert found.repeated == 0.5


def test_what_was_answered_for_is_not_sent_again_in_the_same_life() -> None:
    calls = [call(1, 2, taken=[1]), call(1, 2, at=2.0)]
    assert findings(Evidence(expected(1, 2), calls)) == {Finding.UNEXPLAINED: (1,)}


def test_what_was_given_up_on_is_not_sent_again_in_the_same_life() -> None:
    calls = [call(1, taken=[]), call(1, at=3.0, taken=[])]
    evidence = Evidence(expected(1, poison=[1]), calls, [GivenUp(0, (1,), answered=2.0)])
    assert findings(evidence) == {Finding.UNEXPLAINED: (1,)}


def test_after_a_kill_nothing_is_sent_again_that_was_done_with_long_before() -> None:
    calls = [call(1, 2, at=LONG_BEFORE), call(1, 2, life=1, at=KILLED + 1)]
    evidence = Evidence(expected(1, 2), calls, kills=[KILLED])
    assert findings(evidence) == {Finding.UNEXPLAINED: (1, 2)}


def test_after_a_kill_what_was_done_with_just_before_may_come_again() -> None:
    calls = [call(1, at=JUST_BEFORE), call(1, life=1, at=KILLED + 1)]
    assert findings(Evidence(expected(1), calls, kills=[KILLED])) == {}


def test_after_a_kill_all_of_a_batch_that_was_not_done_with_may_come_again() -> None:
    calls = [call(1, 2, at=LONG_BEFORE, taken=[1]), call(1, 2, life=1, at=KILLED + 1)]
    assert findings(Evidence(expected(1, 2), calls, kills=[KILLED])) == {}


def test_after_a_kill_what_follows_a_record_that_was_not_done_with_may_come_again() -> None:
    records = (Expected(1, "shard", "a"), Expected(2, "shard", "b"))
    calls = [
        call(1, at=LONG_BEFORE, taken=[]),
        call(2, at=LONG_BEFORE),
        call(1, 2, life=1, at=KILLED + 1),
    ]
    assert findings(Evidence(records, calls, kills=[KILLED])) == {}


def test_each_shard_has_a_position_of_its_own() -> None:
    records = (Expected(1, "one", "a"), Expected(2, "other", "b"))
    calls = [
        call(1, at=LONG_BEFORE, taken=[]),
        call(2, at=LONG_BEFORE),
        call(1, 2, life=1, at=KILLED + 1),
    ]
    assert findings(Evidence(records, calls, kills=[KILLED])) == {Finding.UNEXPLAINED: (2,)}


def test_a_position_outlives_a_life_without_any_call() -> None:
    calls = [call(1, at=LONG_BEFORE), call(1, life=2, at=KILLED + 60)]
    evidence = Evidence(expected(1), calls, kills=[KILLED, KILLED + 50])
    assert findings(evidence) == {Finding.UNEXPLAINED: (1,)}


def test_what_came_again_needs_no_answer_of_an_earlier_life() -> None:
    """The second life has not got as far as the first when it is killed, too."""
    again = KILLED + 20
    calls = [
        call(1, at=JUST_BEFORE),
        call(1, life=1, at=KILLED + 1, lost=True),
        call(1, life=2, at=again + 1),
    ]
    assert findings(Evidence(expected(1), calls, kills=[KILLED, again])) == {}


def test_tracebacks_of_errors_are_surprises() -> None:
    trace = (
        r"\nTraceback (most recent call last):\n  File \"worker.py\", line 1\nKeyError: 'Records'"
    )
    log = (
        "2026-01-01T00:00:00.000Z INFO    pipe: started\n"
        f"2026-01-01T00:00:01.000Z WARNING Failed to parse headers{trace}\n"
        f"2026-01-01T00:00:02.000Z ERROR   pipe: working on a shard failed{trace}\n"
        "2026-01-01T00:00:03.000Z ERROR   pipe: cannot dead-letter, trying on\n"
    )
    assert surprises(log) == ["KeyError: 'Records'"]
