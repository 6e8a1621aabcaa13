"""What people read is spelled well, and without those of words.txt."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from inventory_cli.cli import cli
from pages import PAGES, ROOT

SETTINGS = [ROOT / name for name in (".env.example", "docker-compose.yml", "Makefile")]
PROGRAMS = [
    path
    for part in ("cli", "init", "libs", "local", "services")
    for path in (ROOT / part).rglob("*.py")
    if "tests" not in path.relative_to(ROOT).parts
]


def misspelt(text: str) -> str:
    """What codespell finds in it, by its own dictionary and by ours."""
    words = str(Path(__file__).with_name("words.txt"))
    command = [sys.executable, "-m", "codespell_lib", "-D", "-", "-D", words, "-"]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True)
    return done.stdout


def texts(source: Path) -> Iterator[str]:
    """The texts in it that have two words or more and are no docstring."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if " " in text and id(node) not in docstrings:
                yield text


def helps(command: click.Command, context: click.Context) -> Iterator[str]:
    yield command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if each := command.get_command(context, name):
                yield from helps(each, click.Context(each, context, info_name=name))


def test_pages_and_settings() -> None:
    read = [f"{path.relative_to(ROOT)}\n{path.read_text()}" for path in [*PAGES, *SETTINGS]]
    assert misspelt("\n".join(read)) == ""


def test_help() -> None:
    assert misspelt("\n".join(helps(cli, click.Context(cli)))) == ""


def test_messages() -> None:
    assert misspelt("\n".join(text for path in PROGRAMS for text in texts(path))) == ""
