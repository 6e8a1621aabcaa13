"""The progress that the lines of the batches show."""

from __future__ import annotations

from typing import Any

from inventory.stock import Outcome
from operations.function_log import Progress


def batch(shard: str, first: int, last: int, **outcomes: int) -> dict[str, Any]:
    counts = dict.fromkeys(Outcome, 0) | outcomes
    return {**counts, "shards": {shard: [f"{first:030d}", f"{last:030d}"]}}


def test_a_run_is_handled_as_far_as_its_shards_are() -> None:
    progress = Progress()
    progress.add(batch("a", 1, 9, applied=5, rejected=1))
    assert progress.reaches({"a": 9})
    assert not progress.reaches({"a": 10})
    assert not progress.reaches({"a": 9, "b": 1})
    progress.add(batch("b", 1, 1, not_found=1))
    assert progress.reaches({"a": 9, "b": 1})
    assert progress.handled == 7


def test_a_record_that_failed_is_not_handled_until_it_comes_again() -> None:
    progress = Progress()
    progress.add(batch("a", 1, 2, applied=1, failed=1))
    assert progress.handled == 1
    progress.add(batch("a", 2, 2, applied=1))
    assert progress.handled == 2
    assert progress.reaches({"a": 2})
