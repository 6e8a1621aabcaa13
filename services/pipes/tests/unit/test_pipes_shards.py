from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.runners.shards import Shard, shards_to_read

SPLIT = [Shard("0"), Shard("1", ("0",)), Shard("2", ("0",))]
MERGE = [Shard("0"), Shard("1"), Shard("2", ("0", "1"))]


def ids(shards: list[Shard]) -> list[str]:
    return [shard.id for shard in shards]


def test_children_wait_for_their_parent() -> None:
    assert ids(shards_to_read(SPLIT, finished=[], reading=[])) == ["0"]
    assert ids(shards_to_read(SPLIT, finished=[], reading=["0"])) == []
    assert ids(shards_to_read(SPLIT, finished=["0"], reading=[])) == ["1", "2"]


def test_the_child_of_a_merge_waits_for_both_parents() -> None:
    assert ids(shards_to_read(MERGE, finished=["0"], reading=["1"])) == []
    assert ids(shards_to_read(MERGE, finished=["0", "1"], reading=[])) == ["2"]


def test_a_parent_past_its_retention_holds_nobody_up() -> None:
    assert ids(shards_to_read(SPLIT[1:], finished=[], reading=[])) == ["1", "2"]


def test_a_parent_that_is_gone_but_still_worked_on_is_waited_for() -> None:
    assert ids(shards_to_read(SPLIT[1:], finished=[], reading=["0"])) == []


def test_what_is_being_read_is_not_started_again() -> None:
    assert ids(shards_to_read([Shard("0"), Shard("1")], finished=[], reading=["1"])) == ["0"]


@st.composite
def lineages(draw: st.DrawFn) -> list[Shard]:
    """A stream's shards: each has no parents, or one or two among the earlier ones."""
    shards: list[Shard] = []
    for number in range(draw(st.integers(1, 12))):
        parents = draw(st.sets(st.sampled_from(shards), max_size=2)) if shards else set()
        shards.append(Shard(str(number), tuple(sorted(parent.id for parent in parents))))
    return shards


@given(lineages(), st.data())
def test_every_shard_is_read_once_and_after_its_parents(
    shards: list[Shard], data: st.DataObject
) -> None:
    parents = {shard.id: set(shard.parents) for shard in shards}
    finished: list[str] = []
    reading: set[str] = set()
    while len(finished) < len(shards):
        for shard in shards_to_read(shards, finished, reading):
            assert parents[shard.id] <= set(finished)
            assert shard.id not in reading
            reading.add(shard.id)
        assert reading, "somebody must be at work until all is read"
        done = data.draw(st.sampled_from(sorted(reading)))
        reading.remove(done)
        finished.append(done)
    assert sorted(finished) == sorted(parents)
