"""Positions when records are done with out of order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.runners.progress import Progress
from pipes_samples import record, records


def test_nothing_read_is_no_checkpoint() -> None:
    progress = Progress()
    assert progress.checkpoint is None
    assert progress.oldest_arrival is None


def test_the_first_record_outstanding_leaves_no_checkpoint() -> None:
    progress = Progress()
    progress.read(records(2), records(2))
    progress.done([record(1)])
    assert progress.checkpoint is None


def test_what_a_filter_leaves_out_is_done_with() -> None:
    progress = Progress()
    progress.read(records(3), [])
    assert progress.checkpoint == record(2).sequence_number


def test_the_oldest_arrival_is_that_of_the_first_outstanding_record() -> None:
    progress = Progress()
    page = [record(0, arrived=5.0), record(1, arrived=6.0)]
    progress.read(page, page)
    assert progress.oldest_arrival == 5.0
    progress.done(page[:1])
    assert progress.oldest_arrival == 6.0


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
def test_the_checkpoint_is_the_last_record_with_nothing_outstanding_up_to_it(
    fates: list[tuple[bool, bool]], page_size: int, random: object
) -> None:
    """`fates`: for each record, whether the filter keeps it, and whether it is done with."""
    everything = records(len(fates))
    progress = Progress()
    for start in range(0, len(everything), page_size):
        page = everything[start : start + page_size]
        progress.read(page, [r for r in page if fates[int(r.body)][0]])
    done = [r for r in everything if fates[int(r.body)] == (True, True)]
    random.shuffle(done)  # type: ignore[attr-defined]
    for one in done:
        progress.done([one])

    expected = None
    for one in everything:
        kept, is_done = fates[int(one.body)]
        if kept and not is_done:
            break
        expected = one.sequence_number
    assert progress.checkpoint == expected
