"""What people get who install the wheels, in an environment that has nothing of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy import package
from pages import ROOT
from wheels import build, clean, contents, environment, requirements_of, run


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Those of both distributions, ours first."""
    folder = tmp_path_factory.mktemp("wheels")
    return [build(project, folder) for project in (ROOT, ROOT / "services" / "pipes")]


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment with both distributions, the emulator, and pip."""
    ours, pipes = wheels
    needed = [*requirements_of(ours, "embedded"), *requirements_of(pipes), Requirement("pip")]
    return environment(tmp_path_factory.mktemp("installed") / "venv", wheels, needed)


def test_both_commands_say_how_they_are_used(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "inventory", "--help", folder=tmp_path).startswith("Usage: inventory ")
    told = run(installed / "eventbridge-pipes", "--help", folder=tmp_path)
    assert told.startswith("usage: eventbridge-pipes ")


def test_every_module_is_imported_but_those_of_the_page(
    wheels: list[Path], installed: Path
) -> None:
    """The page needs NiceGUI, which is an extra. A program's `__main__` would start it."""
    files = [name.removesuffix(".py") for name in contents(wheels[0]) if name.endswith(".py")]
    modules = [
        file.removesuffix("/__init__").replace("/", ".")
        for file in files
        if not file.startswith("dashboard/") and not file.endswith("/__main__")
    ]
    assert {"deploy.package", "embedded.stack", "inventory_cli.commands.demo"} < {*modules}
    run(installed / "python", "-I", "-c", f"import {', '.join(modules)}")


def test_the_demo_runs_the_whole_pipeline(installed: Path, tmp_path: Path) -> None:
    told = run(installed / "inventory", "demo", "--count", "20", folder=tmp_path)
    assert told.splitlines()[-3] == "Success: every event has an outcome, and the table is right."


def test_a_command_without_servers_says_so(installed: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [installed / "inventory", "table"],
        cwd=tmp_path,
        env=clean(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "No stack is running in .inventory/embedded." in ended.stderr


def test_the_zip_is_the_one_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    run(installed / "inventory", "package", "function.zip", folder=tmp_path)
    of_checkout = package.build(tmp_path / "checkout.zip")
    assert (tmp_path / "function.zip").read_bytes() == of_checkout.read_bytes()
