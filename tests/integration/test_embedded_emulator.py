"""What the embedded target puts right in its emulator, looked at from within."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.services import dynamodb, kinesis, lambda_svc

from embedded import emulator
from embedded.ministack_fixes import batching_windows, record_expiry, sequence_numbers

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _as_it_comes() -> Iterator[None]:
    yield
    kinesis.reset()


def shard(*ages: float, closed: float | None = None) -> dict[str, Any]:
    """With records of these ages, oldest first, closed so long ago; in hours."""
    now = time.time()
    records = [{"ApproximateArrivalTimestamp": now - age * HOUR} for age in ages]
    return {"records": records} | ({} if closed is None else {"closed_at": now - closed * HOUR})


def test_records_are_kept_as_long_as_their_stream_says() -> None:
    shards = {"a": shard(25, 24.1, 23, 1), "b": shard()}
    record_expiry.expire_records({"RetentionPeriodHours": 24, "shards": shards})
    assert [len(kept["records"]) for kept in shards.values()] == [2, 0]


def test_a_closed_shard_goes_with_the_last_that_it_may_have_held() -> None:
    shards = {"old": shard(25, closed=24.1), "young": shard(25, closed=23), "open": shard(25)}
    record_expiry.expire_records({"RetentionPeriodHours": 24, "shards": shards})
    assert set(shards) == {"young", "open"}


def test_iterators_that_are_too_old_go_and_the_others_stay() -> None:
    now = time.time()
    for token, age in {"oldest": 400, "old": 301, "young": 299, "youngest": 0}.items():
        kinesis._shard_iterators[token] = {"created_at": now - age}
    record_expiry.expire_iterators()
    assert list(kinesis._shard_iterators) == ["young", "youngest"]


@pytest.mark.parametrize("saved_by", [kinesis, dynamodb])
def test_numbers_grow_though_the_clock_is_set_back_and_after_a_restart_too(
    saved_by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbering = {kinesis: "_next_sequence_number", dynamodb: "_next_stream_seq"}
    for service, name in numbering.items():
        for replaced in (name, "get_state", "load_persisted_state"):
            monkeypatch.setattr(service, replaced, getattr(service, replaced))
    given: list[str] = []

    def number_at(day: int) -> None:
        monkeypatch.setattr(time, "time", lambda: day * 24 * HOUR)
        given.extend(getattr(service, name)() for service, name in numbering.items())

    sequence_numbers.apply()
    for day in (20_000, 20_000, 19_999):
        number_at(day)
    state = saved_by.get_state()
    sequence_numbers.apply()  # as a new process does
    saved_by.load_persisted_state(state)
    for day in (19_998, 20_001, 0):
        number_at(day)
    assert given == sorted(set(given))
    assert {len(number) for number in given} == {30}


def test_a_mapping_does_not_wait_for_a_clock_that_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = [{"dynamodb": {"ApproximateCreationDateTime": time.time() + HOUR}}]
    monkeypatch.setattr(batching_windows._of_a_mapping, "reads", True, raising=False)
    mapping = {"EventSourceArn": "t:table/table/stream/", "MaximumBatchingWindowInSeconds": 1}
    mappings = [("account", "region", mapping)]
    monkeypatch.setattr(lambda_svc, "_iter_all_esms", lambda: iter(mappings))
    assert batching_windows._gathering(lambda *_: written)("table", 0, 10) == written


def test_another_version_is_left_as_it_comes_and_says_so() -> None:
    before = kinesis._split_shard, kinesis._expire_records, lambda_runtime.Worker.invoke
    assert "9.9.9" in (emulator.put_right("9.9.9") or "")
    assert (kinesis._split_shard, kinesis._expire_records, lambda_runtime.Worker.invoke) == before
