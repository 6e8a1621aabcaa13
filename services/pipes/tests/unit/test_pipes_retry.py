from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.backoff import FIRST_PAUSE
from eventbridge_pipes.execution.retry import (
    Decision,
    RetryPolicy,
    Segment,
    decide,
    pause_before,
    split_by_age,
)
from eventbridge_pipes.outcome import SUCCEEDED, Outcome, all_failed
from pipes_samples import record, records

BATCH = records(5)
FOR_EVER = RetryPolicy()


def test_what_succeeded_is_not_sent_again() -> None:
    assert decide(Segment(BATCH), SUCCEEDED, FOR_EVER) == Decision()


def test_only_the_failed_records_are_sent_again_in_their_order() -> None:
    decision = decide(Segment(BATCH), Outcome(frozenset({3, 1}), "why"), FOR_EVER)
    assert decision == Decision(again=(Segment((BATCH[1], BATCH[3]), failures=1),))


def test_a_fault_of_the_service_is_no_attempt() -> None:
    never_again = RetryPolicy(maximum_retries=0, bisect=True)
    decision = decide(
        Segment(BATCH), all_failed(BATCH, "throttled", service_error=True), never_again
    )
    assert decision == Decision(again=(Segment(BATCH, failures=0, service_errors=1),))


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_n_retries_are_n_plus_one_attempts(retries: int) -> None:
    policy = RetryPolicy(maximum_retries=retries)
    segment, attempts = Segment(BATCH), 0
    while True:
        attempts += 1
        decision = decide(segment, all_failed(segment.records, "why"), policy)
        if decision.given_up:
            break
        (segment,) = decision.again
    assert attempts == retries + 1
    assert decision.given_up == BATCH


def test_without_a_limit_records_are_never_given_up_on() -> None:
    segment = Segment(BATCH, failures=1_000_000)
    assert decide(segment, all_failed(BATCH, "why"), FOR_EVER).given_up == ()


def test_bisecting_sends_each_half_as_if_it_were_new() -> None:
    policy = RetryPolicy(maximum_retries=0, bisect=True)
    decision = decide(Segment(BATCH), all_failed(BATCH, "why"), policy)
    assert decision == Decision(again=(Segment(BATCH[:2]), Segment(BATCH[2:])))


def test_bisecting_looks_among_the_failed_records_only() -> None:
    policy = RetryPolicy(bisect=True)
    decision = decide(Segment(BATCH), Outcome(frozenset({0, 4}), "why"), policy)
    assert decision == Decision(again=(Segment(BATCH[:1]), Segment(BATCH[4:])))


def test_a_single_record_uses_up_its_attempts_when_bisecting() -> None:
    policy = RetryPolicy(maximum_retries=1, bisect=True)
    first = decide(Segment(BATCH[:1]), all_failed(BATCH[:1], "why"), policy)
    assert first == Decision(again=(Segment(BATCH[:1], failures=1),))
    second = decide(first.again[0], all_failed(BATCH[:1], "why"), policy)
    assert second == Decision(given_up=BATCH[:1])


def test_records_over_the_maximum_age_are_too_old() -> None:
    young, old = record(1, arrived=41.0), record(0, arrived=39.9)
    policy = RetryPolicy(maximum_age=60)
    assert split_by_age((old, young), policy, now=100.0) == ((old,), (young,))


def test_without_a_maximum_age_no_record_is_too_old() -> None:
    assert split_by_age(BATCH, FOR_EVER, now=1e12) == ((), BATCH)


def test_the_pause_doubles_with_each_failure_and_each_fault() -> None:
    def pause(**tries: int) -> float:
        return pause_before(Segment(BATCH, **tries), jitter=lambda: 1.0)

    assert pause(failures=1) == pause(service_errors=1) == FIRST_PAUSE
    assert pause(failures=1, service_errors=1) == 2 * FIRST_PAUSE


def test_a_half_is_sent_at_once() -> None:
    halves = decide(
        Segment(BATCH, service_errors=3), all_failed(BATCH, "why"), RetryPolicy(bisect=True)
    )
    assert [pause_before(half) for half in halves.again] == [0.0, 0.0]


outcomes = st.one_of(
    st.just(SUCCEEDED),
    st.just(all_failed(range(5), "unreachable", service_error=True)),
    st.sets(st.integers(0, 4), min_size=1).map(lambda failed: Outcome(frozenset(failed), "why")),
)
policies = st.builds(
    RetryPolicy,
    maximum_retries=st.integers(-1, 3),
    maximum_age=st.just(-1),
    bisect=st.booleans(),
)


@given(outcomes, policies, st.integers(0, 3))
def test_every_failed_record_is_sent_again_or_given_up_on_and_no_other(
    outcome: Outcome, policy: RetryPolicy, failures: int
) -> None:
    decision = decide(Segment(BATCH, failures), outcome, policy)
    kept = [record for segment in decision.again for record in segment.records]
    failed = [r for i, r in enumerate(BATCH) if i in outcome.failed]
    assert [*kept, *decision.given_up] == failed
    assert all(segment.records for segment in decision.again)
