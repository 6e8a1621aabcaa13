"""The progress line: written over on a terminal, ever rarer lines in a file."""

from __future__ import annotations

import io

from inventory_cli.progress import ProgressLine


def lines_of_a_run(seconds: int) -> list[int]:
    """After how many seconds a run that writes to a file has written a line."""
    now = 0.0
    out = io.StringIO()
    with ProgressLine(out, clock=lambda: now) as line:
        for second in range(seconds + 1):
            now = float(second)
            line.show(str(second))
    return [int(text) for text in out.getvalue().splitlines()]


def test_in_a_file_lines_become_rarer_and_the_last_one_is_kept() -> None:
    assert lines_of_a_run(1) == [1]
    assert lines_of_a_run(200) == [2, 4, 8, 16, 32, 64, 124, 184, 200]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_line_is_written_over_and_a_note_stays() -> None:
    out = Terminal()
    with ProgressLine(out) as line:
        line.show("10 of 20")
        line.note("A server ended.")
        line.show("9 of 20")
    assert out.getvalue() == "\r\033[K10 of 20\nA server ended.\n\r\033[K9 of 20\n"
