from __future__ import annotations

import subprocess
import sys

import pytest
from pictures import recording


def test_each_line_has_the_seconds_at_which_it_was_printed() -> None:
    lines = recording.record([sys.executable, "-c", "print('a'); print('b <c>')"])
    assert [text for _, text in lines] == ["a", "b <c>"]
    assert 0 < lines[0][0] <= lines[1][0]


def test_a_command_that_fails_is_no_recording() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        recording.record([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_line_appears_when_its_time_has_come() -> None:
    moving = recording.animate("demo", [(2.0, "<first>"), (4.0, "last")])
    assert "@keyframes l1{0%,20.00%{opacity:0}20.00%,100%{opacity:1}}" in moving
    assert "@keyframes l2{0%,40.00%{opacity:0}40.00%,100%{opacity:1}}" in moving
    assert "&lt;first&gt;" in moving
