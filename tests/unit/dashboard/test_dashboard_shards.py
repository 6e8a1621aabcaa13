from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.model.entry import Entry
from dashboard.model.shard import MOST_WAITING, Shard, Stretch
from inventory_aws.stream import StreamRecord


def entry(number: int, at: float = 0.0) -> Entry:
    return Entry.of(StreamRecord("shard-0", number, at, b"{}", "key"))


def numbers(entries: list[Entry]) -> list[int]:
    return [found.place[1] for found in entries]


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_each_record_is_done_once_whichever_is_heard_of_first(
    sizes: list[int], random: object, data: st.DataObject
) -> None:
    """Batches and records come in any interleaving: each record ends with its batch's time."""
    shard = Shard()
    stretches, first = [], 1
    for at, size in enumerate(sizes):
        stretches.append(Stretch(first + size - 1, first, float(at)))
        first += size
    arriving = list(range(1, first))
    done: list[Entry] = []
    for stretch in data.draw(st.permutations(stretches)):
        for _ in range(data.draw(st.integers(0, len(arriving)))):
            shard.arrive(entry(arriving.pop(0)))
        shard.cover(stretch)
        done += shard.done()
    for number in arriving:
        shard.arrive(entry(number))
    done += shard.done()
    assert sorted(numbers(done)) == list(range(1, first))
    for found in done:
        assert any(s.has(found.place[1]) and s.done_at == found.done_at for s in stretches)


def test_what_a_batch_failed_is_still_under_way() -> None:
    shard = Shard()
    for number in (1, 2, 3):
        shard.arrive(entry(number))
    shard.cover(Stretch(3, 1, 5.0, frozenset({2})))
    assert numbers(list(shard.done())) == [1, 3]
    shard.cover(Stretch(2, 2, 6.0))
    assert numbers(list(shard.done())) == [2]


def test_a_reader_that_begins_again_brings_nothing_twice() -> None:
    shard = Shard()
    assert shard.arrive(entry(7))
    assert not shard.arrive(entry(7))
    assert not shard.arrive(entry(6))


def test_given_up_is_what_the_pipe_has_left_behind_for_a_while() -> None:
    shard = Shard()
    for number in (1, 2, 3):
        shard.arrive(entry(number))
    shard.cover(Stretch(3, 2, 10.0))
    assert numbers(list(shard.done())) == [2, 3]
    assert list(shard.passed_over(before=9.0)) == []
    assert numbers(list(shard.passed_over(before=11.0))) == [1]


def test_what_waits_is_bounded() -> None:
    shard = Shard()
    for number in range(MOST_WAITING + 10):
        shard.arrive(entry(number))
    assert len(shard.waiting) == MOST_WAITING
