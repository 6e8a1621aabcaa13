from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from eventbridge_pipes.pipe import State
from eventbridge_pipes.record import Position
from eventbridge_pipes.store import FILE_NAME, Checkpoint, Origin, StateDirectoryError, Store
from pipes_samples import PIPE

OTHER = PIPE.scope.pipe_arn("other")


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    origin = Origin(12.5, Position(at=3.25))
    store = Store(tmp_path)
    store.save(PIPE)
    store.set_origin(PIPE.arn, origin)
    store.advance(PIPE.arn, "a", "001")
    store.advance(PIPE.arn, "a", "002")
    store.finish(PIPE.arn, "a")
    store.finish(PIPE.arn, "b")
    store.close()

    store = Store(tmp_path)
    assert store.pipes() == [PIPE]
    assert store.pipe(PIPE.arn) == PIPE
    assert store.origin(PIPE.arn) == origin
    assert store.checkpoints(PIPE.arn) == {
        "a": Checkpoint("002", finished=True),
        "b": Checkpoint(None, finished=True),
    }
    store.close()


def test_deleting_a_pipe_forgets_how_far_it_got_and_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for pipe in (PIPE, replace(PIPE, name="other", arn=OTHER)):
        store.save(pipe)
        store.set_origin(pipe.arn, Origin(1.0, Position()))
        store.advance(pipe.arn, "a", "001")
    store.delete(PIPE.arn)
    assert [pipe.name for pipe in store.pipes()] == ["other"]
    assert store.origin(PIPE.arn) is None
    assert store.checkpoints(PIPE.arn) == {}
    assert store.checkpoints(OTHER) == {"a": Checkpoint("001", finished=False)}
    store.close()


def test_beginning_again_forgets_the_positions_in_the_stream_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.advance(PIPE.arn, "a", "001")
    store.set_origin(PIPE.arn, Origin(2.0, Position()))
    assert store.checkpoints(PIPE.arn) == {}
    store.close()


def test_a_change_leaves_the_other_members_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(PIPE)
    store.change(PIPE.arn, current=State.STOPPED)
    store.change(PIPE.arn, tags={"a": "b"})
    assert store.pipe(PIPE.arn) == replace(PIPE, current=State.STOPPED, tags={"a": "b"})
    store.change("unknown", tags={})
    store.close()


def test_an_update_takes_effect_when_it_is_complete(tmp_path: Path) -> None:
    update = replace(PIPE, description="new", current=State.UPDATING)
    store = Store(tmp_path)
    store.save(replace(PIPE, current=State.UPDATING, update=update))
    store.close()

    store = Store(tmp_path)
    store.change(PIPE.arn, tags={"a": "b"})
    store.complete(PIPE.arn, State.RUNNING, "why")
    assert store.pipe(PIPE.arn) == replace(
        PIPE, description="new", current=State.RUNNING, reason="why", tags={"a": "b"}
    )
    store.complete("unknown", State.RUNNING, "why")
    assert store.pipe("unknown") is None
    store.close()


def test_checkpoints_of_shards_that_nothing_reads_again_are_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for shard in "abc":
        store.finish(PIPE.arn, shard)
        store.finish(OTHER, shard)
    store.keep_only(PIPE.arn, ["b", "d"])
    store.keep_only(PIPE.arn, ["b", "d"])
    assert list(store.checkpoints(PIPE.arn)) == ["b"]
    assert list(store.checkpoints(OTHER)) == ["a", "b", "c"]
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


def test_the_state_of_an_earlier_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as earlier:
        earlier.execute("CREATE TABLE pipes (name TEXT PRIMARY KEY, definition TEXT NOT NULL)")
        earlier.execute("INSERT INTO pipes VALUES ('orders', '{}')")
        earlier.commit()
    with pytest.raises(StateDirectoryError, match="of an earlier version: delete it, or name"):
        Store(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as left:
        assert left.execute("SELECT name FROM pipes").fetchall() == [("orders",)]
