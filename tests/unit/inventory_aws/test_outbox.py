from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory_aws.outbox import BATCH, MEBIBYTE, Event, Limits, choose, without
from simulated_stream import event

pending_lists = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.integers(0, 30)), min_size=1, max_size=40
).map(lambda items: [event(key, n, size) for n, (key, size) in enumerate(items)])
limits = st.builds(Limits, records=st.integers(1, 6), bytes=st.integers(10, 60), window=st.just(40))


@given(pending=pending_lists, limits=limits)
def test_a_call_holds_the_oldest_of_each_of_its_products_and_nothing_else(
    pending: list[Event], limits: Limits
) -> None:
    chosen = choose(pending, limits)
    keys = [pending[place].partition_key for place in chosen]
    firsts = [next(n for n, e in enumerate(pending) if e.partition_key == key) for key in keys]
    assert chosen == firsts
    assert chosen == sorted(set(chosen))


@given(pending=pending_lists, limits=limits)
def test_the_oldest_event_is_in_every_call(pending: list[Event], limits: Limits) -> None:
    assert choose(pending, limits)[0] == 0


@given(pending=pending_lists, limits=limits)
def test_a_call_is_within_the_limits(pending: list[Event], limits: Limits) -> None:
    chosen = choose(pending, limits)
    assert len(chosen) <= limits.records
    assert len(chosen) == 1 or sum(pending[place].size for place in chosen) <= limits.bytes


@given(pending=pending_lists, limits=limits)
def test_a_call_is_only_short_when_there_is_no_more_or_no_more_fits(
    pending: list[Event], limits: Limits
) -> None:
    chosen = choose(pending, limits)
    left = {e.partition_key for e in pending} - {pending[place].partition_key for place in chosen}
    if len(chosen) < limits.records and left:
        nearest = next(e for e in pending if e.partition_key in left)
        assert sum(pending[place].size for place in chosen) + nearest.size > limits.bytes


@given(pending=pending_lists, data=st.data())
def test_what_is_refused_keeps_its_place(pending: list[Event], data: st.DataObject) -> None:
    accepted = data.draw(st.sets(st.integers(0, len(pending) - 1)))
    left = without(pending, accepted)
    assert left == [e for n, e in enumerate(pending) if n not in accepted]


def test_a_call_of_a_batch_holds_500_records_or_5_mebibytes_of_data_and_keys() -> None:
    small = [event(f"P{n}", n) for n in range(2000)]
    assert len(choose(small, BATCH)) == 500
    # With its key each is exactly 1 MiB.
    large = [event(f"P{n}", n, MEBIBYTE - 2) for n in range(8)]
    assert len(choose(large, BATCH)) == 5


def test_products_that_occur_again_do_not_shorten_a_call() -> None:
    pending = [event(f"P{n // 4}", n) for n in range(2000)]
    assert choose(pending, BATCH) == list(range(0, 2000, 4))
