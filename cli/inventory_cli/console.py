"""The console of tables."""

from __future__ import annotations

from rich.console import Console


class PlainConsole(Console):
    """A console that raises BrokenPipeError; rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise
