from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.model.window import SAMPLES_PER_SECOND, WINDOW_SECONDS, Counts, Samples


def test_a_rate_counts_the_full_seconds_before_now() -> None:
    counts = Counts()
    for second in range(100, 110):
        counts.add(second + 0.5, {"put": 20})
    counts.add(110.1, {"put": 999})  # this second is not over
    assert counts.rate(110.9, ["put"]) == 20
    assert counts.rate(115.0, ["put"]) == (5 * 20 + 999) / 10
    assert counts.rate(110.9, ["other"]) == 0


def test_a_series_ends_with_the_last_full_step() -> None:
    counts = Counts()
    counts.add(100, {"put": 10})
    counts.add(104, {"put": 10})
    counts.add(105, {"put": 5})
    assert counts.series(109.9, "put", step=5, steps=3) == [0, 0, 4]
    assert counts.series(110.0, "put", step=5, steps=3) == [0, 4, 1]


@given(st.lists(st.integers(0, 100_000), max_size=400))
def test_seconds_before_the_window_are_forgotten(moments: list[int]) -> None:
    counts, samples = Counts(), Samples()
    for moment in sorted(moments):
        counts.add(moment, {"put": 1})
        samples.add(moment, 1.0)
    assert len(counts._seconds) <= WINDOW_SECONDS + 1
    assert len(samples._seconds) <= WINDOW_SECONDS + 1


def test_a_busy_second_keeps_a_bounded_number_of_samples() -> None:
    samples = Samples()
    for value in range(10 * SAMPLES_PER_SECOND):
        samples.add(100.0, float(value))
    assert len(samples._seconds[100]) == SAMPLES_PER_SECOND


def test_without_samples_there_is_no_percentile() -> None:
    assert Samples().series(100.0, 0.99, step=5, steps=2) == [None, None]
