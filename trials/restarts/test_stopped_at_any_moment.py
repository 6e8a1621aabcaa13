"""What starts servers is stopped at any moment, and leaves nothing running."""

from __future__ import annotations

import signal

import pytest

from front_door import FrontDoor, front_door, stop_a_demo
from pages import ROOT
from waiting import eventually

__all__ = ["front_door"]  # a fixture


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("", signal.SIGINT),
        ("Servers are up", signal.SIGINT),
        ("Resources: ", signal.SIGINT),
        ("Sending", signal.SIGINT),
        ("applied", signal.SIGINT),
        ("", signal.SIGTERM),
        ("Sending", signal.SIGTERM),
        ("Sending", signal.SIGHUP),
    ],
)
def test_a_demo_that_is_stopped_at_any_moment_leaves_no_process_and_no_port(
    front_door: FrontDoor, moment: str, number: signal.Signals
) -> None:
    stop_a_demo(front_door, moment, number)


@pytest.mark.parametrize("module", ["bench", "bench.pipes", "bench.dashboard"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_measurements_leave_no_process_and_no_folder(
    front_door: FrontDoor, module: str, number: signal.Signals
) -> None:
    scratch = front_door.folder / "scratch"
    scratch.mkdir()
    process = front_door.start_module(module, PYTHONPATH=str(ROOT), TMPDIR=str(scratch))
    eventually(lambda: len(front_door.processes()) > 2, timeout=60)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, output
    assert output.endswith(f"Stopped by {number.name}.\n"), output
    assert front_door.processes() == []
    assert [*scratch.iterdir(), *front_door.folder.glob(".inventory/*")] == []
