from __future__ import annotations

from pathlib import Path

import pytest

import producer.app
from producer.heartbeat import ALLOWANCE_SECONDS, Heartbeat, main, problem
from producer.settings import Settings
from producer.usage import RefusedError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alive"


def test_before_the_first_event_it_is_unhealthy(path: Path, clock: Clock) -> None:
    assert problem(path, 0) == "no event was accepted yet"
    Heartbeat(path, 0, clock)
    assert problem(path, 0) == "no event was accepted yet"


def test_what_an_earlier_run_has_left_does_not_count(path: Path, clock: Clock) -> None:
    path.write_text("9999999999\n")
    Heartbeat(path, 0, clock)
    assert problem(path, 0)


def test_an_accepted_event_counts_for_half_a_minute(path: Path, clock: Clock) -> None:
    Heartbeat(path, 0, clock).beat()
    assert problem(path, ALLOWANCE_SECONDS) is None
    assert problem(path, ALLOWANCE_SECONDS + 5) == (
        "no event was accepted for too long: 5 s over the limit"
    )


def test_a_slow_pace_is_no_sign_of_trouble(path: Path, clock: Clock) -> None:
    Heartbeat(path, 100, clock).beat()
    assert problem(path, 200) is None


def test_it_is_written_once_a_second_at_most(path: Path, clock: Clock) -> None:
    beating = Heartbeat(path, 0, clock)
    beating.beat()
    first = path.read_text()
    clock.now = 0.9
    path.unlink()
    beating.beat()
    assert not path.exists()
    clock.now = 1.0
    beating.beat()
    assert float(path.read_text()) == float(first) + 1


def test_a_beat_that_cannot_be_written_stops_no_event_and_the_check_fails(
    path: Path, clock: Clock
) -> None:
    beating = Heartbeat(path, 0, clock)
    path.unlink()
    path.mkdir()
    beating.beat()
    assert problem(path, 0)
    path.rmdir()
    clock.now = 1.0
    beating.beat()
    assert problem(path, 0) is None


def test_a_file_that_cannot_be_written_is_told_before_the_stream_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(producer.app, "connect")
    with pytest.raises(RefusedError, match=r"Cannot write the heartbeat: .*No such file"):
        producer.app.run(Settings(heartbeat=tmp_path / "missing" / "alive"))


def test_the_check_prints_a_line_and_has_an_exit_code(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(path)]) == 1
    Heartbeat(path, 1).beat()
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "no event was accepted yet\nevents are accepted\n"
    assert main([]) == 2
