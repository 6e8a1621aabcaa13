"""The commands that messages tell the reader to type, and the help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inventory_cli.cli import cli
from inventory_cli.invocation import typed
from pages import ROOT


def shown(*, program: str = "/x/inventory", state: str = ".inventory", **variables: str) -> str:
    """What a command of `inventory` tells the reader to type for `table --watch`."""

    @click.command()
    @click.option("--state", type=click.Path(path_type=Path))
    def command(state: Path) -> None:
        click.echo(typed("table", "--watch"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [program])
        patch.delenv("TARGET", raising=False)
        result = CliRunner(env=variables).invoke(command, ["--state", state])
    return result.output.strip()


def test_a_program_is_named_as_it_was_typed() -> None:
    assert (
        shown(program=".venv/bin/inventory", PATH="/usr/bin") == ".venv/bin/inventory table --watch"
    )


def test_a_program_that_the_shell_finds_is_its_bare_name(tmp_path: Path) -> None:
    program = tmp_path / "inventory"
    program.touch(mode=0o755)
    assert shown(program=str(program), PATH=str(tmp_path)) == "inventory table --watch"


def test_called_by_make_it_is_a_target() -> None:
    assert shown(INVENTORY_CALLED_BY="make") == 'make table ARGS="--watch"'


def test_called_in_a_container_it_is_what_runs_the_container() -> None:
    caller = "docker compose run --rm cli"
    assert shown(INVENTORY_CALLED_BY=caller, TARGET="localstack") == f"{caller} table --watch"


def test_the_target_and_the_state_folder_are_repeated() -> None:
    other = {"state": "my stack", "TARGET": "aws"}
    assert (
        shown(**other, INVENTORY_CALLED_BY="make")
        == "make table ARGS=\"--watch\" TARGET=aws INVENTORY_STATE='my stack'"
    )
    assert shown(**other) == "TARGET=aws /x/inventory --state 'my stack' table --watch"
    assert shown(TARGET="embedded") == "/x/inventory table --watch"


Named = tuple[tuple[str, ...], click.Command]


def commands(command: click.Command, *names: str) -> Iterator[Named]:
    yield names, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, *names, name)


@pytest.mark.parametrize(("names", "command"), [*commands(cli)], ids=lambda each: str(each))
def test_help_fits_80_columns_and_cuts_no_summary(
    names: tuple[str, ...], command: click.Command
) -> None:
    text = CliRunner().invoke(cli, [*names, "--help"], terminal_width=80).output
    assert text.startswith(f"Usage: cli {' '.join(names)}".rstrip())
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "..." not in text.partition("Commands:")[2]
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
    for name in set(cli.commands) - {"export"}:
        assert f"inventory {name} --some-option\n" in make(*dry_run, name)


def test_the_help_of_make_names_the_commands_and_fits_80_columns() -> None:
    helped = make("help")
    assert [line for line in helped.splitlines() if len(line) > 80] == []
    for name in ("unit ", "integration ", *set(cli.commands) - {"export"}):
        assert name in helped
