"""The progress that the lines of the batches show."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from inventory.stock import Outcome
from operations.function_log import FunctionLog, Progress


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


class Logs:
    """Two pages of lines; the call for the second one fails once."""

    exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)

    def __init__(self) -> None:
        self._fails = True

    def get_paginator(self, _: str) -> Logs:
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        yield {"events": [{"message": '{"n": 1}', "timestamp": 1}]}
        if self._fails:
            self._fails = False
            raise ConnectionError
        yield {"events": [{"message": '{"n": 2}', "timestamp": 2}]}


def test_no_line_is_lost_if_reading_a_later_page_fails() -> None:
    client: Any = Logs()
    log = FunctionLog(client, "f", since=0)
    with pytest.raises(ConnectionError):
        log.new_lines("")
    assert log.new_lines("") == [{"n": 1}, {"n": 2}]
    assert log.new_lines("") == []
