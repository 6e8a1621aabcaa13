"""The states of a stack on disk: one whole one counts, whatever ends the process that writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from embedded import saved
from embedded.saved import PIPES_FILE
from eventbridge_pipes import store


def content(folder: Path) -> dict[str, str]:
    """The texts of the newest state's files."""
    state = saved.newest(folder)
    return {
        str(file.relative_to(state)): file.read_text()
        for file in state.rglob("*")
        if file.is_file()
    }


def save(folder: Path, name: str, text: str, pipes: Path | None = None) -> None:
    with saved.new_state(folder, pipes) as state:
        (saved.emulator_part(state) / name).write_text(text)


def test_before_the_first_save_there_is_an_empty_state(tmp_path: Path) -> None:
    assert content(tmp_path) == {}
    assert saved.time_of_newest(tmp_path) is None


def test_the_newest_state_is_what_was_written_last(tmp_path: Path) -> None:
    save(tmp_path, "a.json", "1")
    save(tmp_path, "a.json", "2")
    assert content(tmp_path) == {"ministack/a.json": "2"}
    assert saved.time_of_newest(tmp_path) is not None
    assert len(list(tmp_path.glob("saved.*"))) == 1


def test_a_save_that_fails_leaves_the_last_state_whole(tmp_path: Path) -> None:
    save(tmp_path, "a.json", "1")

    def fail() -> None:
        with saved.new_state(tmp_path, None) as state:
            (saved.emulator_part(state) / "a.json").write_text("2")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert content(tmp_path) == {"ministack/a.json": "1"}
    save(tmp_path, "b.json", "1")
    assert content(tmp_path) == {"ministack/b.json": "1"}


def rows(database: Path) -> list[int]:
    with closing(sqlite3.connect(database)) as db:
        return [number for (number,) in db.execute("SELECT n FROM numbers")]


def test_the_database_of_pipes_has_the_name_that_pipes_uses() -> None:
    assert PIPES_FILE == store.FILE_NAME


def test_pipes_start_with_what_they_had_when_the_state_was_saved(tmp_path: Path) -> None:
    database = saved.pipes_folder(tmp_path) / PIPES_FILE
    database.parent.mkdir()
    with closing(sqlite3.connect(database, isolation_level=None)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        running.execute("CREATE TABLE numbers (n)")
        running.execute("INSERT INTO numbers VALUES (1)")
        save(tmp_path, "a.json", "1", saved.copy_pipes(tmp_path))
        running.execute("INSERT INTO numbers VALUES (2)")
    database.with_name(f"{database.name}-wal").write_bytes(b"of a service that was killed")
    saved.restore_pipes(tmp_path)
    assert rows(database) == [1]


def test_pipes_that_were_never_saved_start_empty(tmp_path: Path) -> None:
    database = saved.pipes_folder(tmp_path) / PIPES_FILE
    database.parent.mkdir()
    database.write_bytes(b"of a stack that was killed")
    saved.restore_pipes(tmp_path)
    assert not database.exists()
    assert saved.copy_pipes(tmp_path) is None
