from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eventbridge_pipes.pipe import State
from eventbridge_pipes.record import Position
from eventbridge_pipes.store import Checkpoint, Origin, StateDirectoryError, Store
from pipes_samples import PIPE


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    origin = Origin(12.5, Position(at=3.25))
    store = Store(tmp_path)
    store.save(PIPE)
    store.begin(PIPE.name, origin)
    store.advance(PIPE.name, "a", "001")
    store.advance(PIPE.name, "a", "002")
    store.finish(PIPE.name, "a")
    store.finish(PIPE.name, "b")
    store.close()

    store = Store(tmp_path)
    assert store.pipes() == [PIPE]
    assert store.pipe(PIPE.name) == PIPE
    assert store.origin(PIPE.name) == origin
    assert store.checkpoints(PIPE.name) == {
        "a": Checkpoint("002", finished=True),
        "b": Checkpoint(None, finished=True),
    }
    store.close()


def test_deleting_a_pipe_forgets_how_far_it_got_and_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for pipe in (PIPE, replace(PIPE, name="other")):
        store.save(pipe)
        store.begin(pipe.name, Origin(1.0, Position()))
        store.advance(pipe.name, "a", "001")
    store.delete(PIPE.name)
    assert [pipe.name for pipe in store.pipes()] == ["other"]
    assert store.origin(PIPE.name) is None
    assert store.checkpoints(PIPE.name) == {}
    assert store.checkpoints("other") == {"a": Checkpoint("001", finished=False)}
    store.close()


def test_beginning_again_forgets_the_positions_in_the_stream_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.advance(PIPE.name, "a", "001")
    store.begin(PIPE.name, Origin(2.0, Position()))
    assert store.checkpoints(PIPE.name) == {}
    store.close()


def test_a_change_leaves_the_other_members_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(PIPE)
    store.change(PIPE.name, current=State.STOPPED)
    store.change(PIPE.name, tags={"a": "b"})
    assert store.pipe(PIPE.name) == replace(PIPE, current=State.STOPPED, tags={"a": "b"})
    store.change("unknown", tags={})
    store.close()


def test_an_update_takes_effect_when_it_is_complete(tmp_path: Path) -> None:
    update = replace(PIPE, description="new", current=State.UPDATING)
    store = Store(tmp_path)
    store.save(replace(PIPE, current=State.UPDATING, update=update))
    store.close()

    store = Store(tmp_path)
    store.change(PIPE.name, tags={"a": "b"})
    store.complete(PIPE.name, State.RUNNING)
    assert store.pipe(PIPE.name) == replace(
        PIPE, description="new", current=State.RUNNING, tags={"a": "b"}
    )
    store.complete("unknown", State.RUNNING)
    assert store.pipe("unknown") is None
    store.close()


def test_checkpoints_of_shards_that_nothing_reads_again_are_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for shard in "abc":
        store.finish(PIPE.name, shard)
        store.finish("other", shard)
    store.keep_only(PIPE.name, ["b", "d"])
    store.keep_only(PIPE.name, ["b", "d"])
    assert list(store.checkpoints(PIPE.name)) == ["b"]
    assert list(store.checkpoints("other")) == ["a", "b", "c"]
    store.close()


def test_a_second_service_is_turned_away(tmp_path: Path) -> None:
    Store(tmp_path).close()
    store = Store(tmp_path)
    with pytest.raises(StateDirectoryError, match="another service is using"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateDirectoryError, match="file/state"):
        Store(tmp_path / "file" / "state")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "pipes.sqlite").write_text("something else, and long enough to be a header " * 9)
    with pytest.raises(StateDirectoryError, match="cannot keep state"):
        Store(tmp_path)


def test_a_store_in_memory_is_its_own_and_leaves_no_file() -> None:
    store, other = Store(None), Store(None)
    store.save(PIPE)
    assert store.pipes() == [PIPE]
    assert other.pipes() == []
    store.close()
    other.close()
    assert not Path(":memory:").exists()
