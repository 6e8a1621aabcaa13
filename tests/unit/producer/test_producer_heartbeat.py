"""The sign of life: what is written, for how long it counts, and what when it cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

import producer.app
from producer.errors import CannotStartError
from producer.heartbeat import ALLOWANCE_SECONDS, Heartbeat, main, verdict
from producer.settings import Settings


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


def heartbeat(path: Path, clock: Clock, gap: float = 0.0) -> tuple[Heartbeat, list[OSError]]:
    troubles: list[OSError] = []
    return Heartbeat(path, gap, troubles.append, clock), troubles


def test_before_the_first_event_there_is_no_life(path: Path, clock: Clock) -> None:
    assert verdict(path, 0) == (False, "no event was accepted yet")
    heartbeat(path, clock)
    assert verdict(path, 0) == (False, "no event was accepted yet")


def test_what_an_earlier_run_has_left_does_not_count(path: Path, clock: Clock) -> None:
    path.write_text("9999999999\n")
    heartbeat(path, clock)
    assert not verdict(path, 0)[0]


def test_an_accepted_event_counts_for_half_a_minute(path: Path, clock: Clock) -> None:
    beating, _ = heartbeat(path, clock)
    beating.beat()
    assert verdict(path, ALLOWANCE_SECONDS) == (True, "events are accepted")
    assert verdict(path, ALLOWANCE_SECONDS + 5) == (
        False,
        "no event was accepted for too long: 5 s over the limit",
    )


def test_a_slow_pace_is_no_sign_of_trouble(path: Path, clock: Clock) -> None:
    beating, _ = heartbeat(path, clock, gap=100)
    beating.beat()
    assert verdict(path, 200)[0]


def test_it_is_written_once_a_second_at_most(path: Path, clock: Clock) -> None:
    beating, _ = heartbeat(path, clock)
    beating.beat()
    first = path.read_text()
    clock.now = 0.9
    path.unlink()
    beating.beat()
    assert not path.exists()
    clock.now = 1.0
    beating.beat()
    assert float(path.read_text()) == float(first) + 1


def test_a_beat_that_cannot_be_written_is_told_once_until_it_can_be_again(
    path: Path, clock: Clock
) -> None:
    beating, troubles = heartbeat(path, clock)
    told = []
    for clock.now, writable in enumerate([True, False, False, True, False]):
        path.unlink(missing_ok=True) if path.is_file() else path.rmdir()
        path.touch() if writable else path.mkdir()
        beating.beat()
        told.append(len(troubles))
    assert told == [0, 1, 1, 1, 2]


def test_a_file_that_cannot_be_written_is_told_before_the_stream_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(producer.app, "connect")
    with pytest.raises(CannotStartError, match=r"Cannot write the heartbeat: .*No such file"):
        producer.app.run(Settings(heartbeat=tmp_path / "missing" / "alive"))


def test_the_check_says_its_verdict_by_a_line_and_its_exit_code(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(path)]) == 1
    Heartbeat(path, 1, lambda error: None).beat()
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "no event was accepted yet\nevents are accepted\n"
    assert main([]) == 2
