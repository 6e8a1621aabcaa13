"""When each record was handled, by the lines of the batches."""

from __future__ import annotations

from typing import Any

from operations.function_log import HandlingTimes


def batch(first: int, last: int, done_at: float, failed: int = 0) -> dict[str, Any]:
    return {"shards": {"a": [str(first), str(last)]}, "done_at": done_at, "failed": failed}


def test_a_record_is_done_with_when_its_batch_is() -> None:
    times = HandlingTimes()
    times.add(batch(10, 19, 2.0))
    times.add(batch(3, 9, 1.0))
    assert [times.of("a", n) for n in (3, 9, 10, 15, 19)] == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_a_record_that_no_batch_had_has_no_time() -> None:
    times = HandlingTimes()
    times.add(batch(3, 9, 1.0))
    times.add(batch(20, 29, 2.0))
    assert [times.of(*place) for place in (("a", 2), ("a", 15), ("a", 30), ("b", 5))] == [None] * 4


def test_of_a_retried_batch_the_first_time_counts() -> None:
    times = HandlingTimes()
    times.add(batch(3, 9, 5.0))
    times.add(batch(3, 9, 1.0))
    assert times.of("a", 7) == 1.0


def test_a_batch_that_failed_in_part_tells_no_times() -> None:
    times = HandlingTimes()
    times.add(batch(3, 9, 1.0, failed=1))
    times.add(batch(5, 5, 2.0))
    assert (times.of("a", 3), times.of("a", 5)) == (None, 2.0)
