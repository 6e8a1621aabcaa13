"""The option --output of the commands that list something."""

from __future__ import annotations

import sys

import click


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
