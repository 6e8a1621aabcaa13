"""How the commands that list something print it."""

from __future__ import annotations

import sys

import click
from rich.console import Console


def _is_text(_context: object, _option: object, form: str) -> bool:
    return form == "text" or (form == "auto" and sys.stdout.isatty())


output_option = click.option(
    "--output",
    "as_text",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    callback=_is_text,
    help="Text or JSON lines. auto: text on a terminal, else JSON lines.",
)


class PlainConsole(Console):
    """A console that raises BrokenPipeError; rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise
