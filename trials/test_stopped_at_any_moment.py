"""`inventory demo` is stopped at any moment, and leaves nothing running."""

from __future__ import annotations

import signal

import pytest

from front_door import FrontDoor, front_door, stop_a_demo

__all__ = ["front_door"]  # a fixture


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("", signal.SIGINT),
        ("Servers are up", signal.SIGINT),
        ("created stream", signal.SIGINT),
        ("created function", signal.SIGINT),
        ("Resources are ready", signal.SIGINT),
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
