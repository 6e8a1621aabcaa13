"""The commands that messages tell the reader to type, and the help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from inventory_cli.cli import COMMANDS, cli
from inventory_cli.invocation import typed
from pages import ROOT


@pytest.mark.parametrize(
    ("caller", "command"),
    [
        ("", "inventory table --watch"),
        ("make", 'make table ARGS="--watch"'),
        ("docker compose run --rm cli", "docker compose run --rm cli table --watch"),
    ],
)
def test_messages_name_commands_as_the_program_was_started(
    caller: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVENTORY_CALLED_BY", caller)
    assert typed("table", "--watch") == command
    assert typed("table") == command.split(" ARGS")[0].removesuffix(" --watch")


def test_a_make_target_is_named_with_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_CALLED_BY", "make")
    monkeypatch.setenv("TARGET", "localstack")
    assert typed("table", "--watch") == 'make table ARGS="--watch" TARGET=localstack'
    monkeypatch.setenv("TARGET", "embedded")
    assert typed("table") == "make table"


@pytest.mark.parametrize("names", [(), *((name,) for name in COMMANDS)], ids=str)
def test_help_fits_80_columns_and_cuts_no_summary(names: tuple[str, ...]) -> None:
    text = CliRunner().invoke(cli, [*names, "--help"], terminal_width=80).output
    assert text.startswith(f"Usage: cli {' '.join(names)}".rstrip())
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_first_sentence_of_each_command(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=80) == COMMANDS[name][1]
    assert all(param.help for param in command.params if isinstance(param, click.Option))


@pytest.mark.parametrize("package", ["botocore", "eventbridge_pipes", "ministack", "rich"])
def test_help_does_not_load_what_only_some_commands_need(package: str) -> None:
    code = f"import sys; import inventory_cli.cli; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(("by", "code"), [("", 128 + signal.SIGPIPE), ("make", 0)])
def test_a_command_whose_output_nobody_reads_ends_quietly(by: str, code: int) -> None:
    arguments = ["plan", "--events-per-second", "1", "--products", "1", "--event-size", "100"]
    with subprocess.Popen(
        [sys.executable, "-m", "inventory_cli", *arguments],
        env={**os.environ, "INVENTORY_CALLED_BY": by},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
    assert process.returncode == code


def make(*arguments: str) -> str:
    command = ["make", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_every_command_has_a_make_target_that_passes_options_on() -> None:
    dry_run = ("--dry-run", "--always-make", "ARGS=--some-option", "TARGET=")
    for name in COMMANDS:
        assert f"inventory {name} --some-option\n" in make(*dry_run, name)


def test_the_help_of_make_names_the_commands_and_fits_80_columns() -> None:
    helped = make("help")
    assert [line for line in helped.splitlines() if len(line) > 80] == []
    for name in ("unit ", "integration ", *COMMANDS):
        assert name in helped
