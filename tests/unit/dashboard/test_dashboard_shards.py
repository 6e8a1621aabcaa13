from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.model.event import TrackedEvent
from dashboard.model.shard import MOST_WAITING, BatchRange, Shard
from inventory_aws.stream import StreamRecord


def event(number: int, at: float = 0.0) -> TrackedEvent:
    return TrackedEvent.of(StreamRecord("shard-0", number, at, b"{}", "key"))


def numbers(events: list[TrackedEvent]) -> list[int]:
    return [found.place[1] for found in events]


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_each_event_is_done_once_in_whichever_order_reports_come(
    sizes: list[int], random: object, data: st.DataObject
) -> None:
    """Batches and records come in any interleaving: each record ends with its batch's time."""
    shard = Shard()
    batches, first = [], 1
    for at, size in enumerate(sizes):
        batches.append(BatchRange(first, first + size - 1, float(at)))
        first += size
    arriving = list(range(1, first))
    done: list[TrackedEvent] = []
    for batch in data.draw(st.permutations(batches)):
        for _ in range(data.draw(st.integers(0, len(arriving)))):
            shard.arrive(event(arriving.pop(0)))
        shard.cover(batch)
        done += shard.take_done()
    for number in arriving:
        shard.arrive(event(number))
    done += shard.take_done()
    assert sorted(numbers(done)) == list(range(1, first))
    for found in done:
        assert any(b.has(found.place[1]) and b.done_at == found.done_at for b in batches)


def test_an_event_that_failed_in_its_batch_still_waits() -> None:
    shard = Shard()
    for number in (1, 2, 3):
        shard.arrive(event(number))
    shard.cover(BatchRange(1, 3, 5.0, frozenset({2})))
    assert numbers(list(shard.take_done())) == [1, 3]
    shard.cover(BatchRange(2, 2, 6.0))
    assert numbers(list(shard.take_done())) == [2]


def test_an_event_that_is_read_twice_counts_once() -> None:
    shard = Shard()
    assert shard.arrive(event(7))
    assert not shard.arrive(event(7))
    assert not shard.arrive(event(6))


def test_an_event_is_given_up_a_while_after_the_pipe_went_on() -> None:
    shard = Shard()
    for number in (1, 2, 3):
        shard.arrive(event(number))
    shard.cover(BatchRange(2, 3, 10.0))
    assert numbers(list(shard.take_done())) == [2, 3]
    assert list(shard.take_given_up(before=9.0)) == []
    assert numbers(list(shard.take_given_up(before=11.0))) == [1]


def test_the_number_of_waiting_events_is_bounded() -> None:
    shard = Shard()
    for number in range(MOST_WAITING + 10):
        shard.arrive(event(number))
    assert len(shard.waiting) == MOST_WAITING
