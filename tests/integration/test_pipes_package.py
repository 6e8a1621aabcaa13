"""The Pipes service as a package of its own: what is in it, what it needs, and that it runs so."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.ports import free_port
from embedded.processes import Server, answers
from pages import ROOT
from waiting import eventually
from wheels import build, clean, contents, environment, metadata_of, requirements_of, run

PROJECT = ROOT / "services" / "pipes"
PACKAGE = PROJECT / "eventbridge_pipes"


IMPORTED_AS = {"pyyaml": "yaml"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel of the project."""
    folder = tmp_path_factory.mktemp("built")
    build(PROJECT, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


def test_the_wheel_holds_the_whole_package_its_license_and_nothing_else(wheel: Path) -> None:
    found = contents(wheel)
    code = {name for name in found if ".dist-info/" not in name}
    sources = {*PACKAGE.rglob("*.py"), PACKAGE / "py.typed"}
    assert code == {str(source.relative_to(PROJECT)) for source in sources}
    (license_name,) = [name for name in found if name.endswith("/LICENSE")]
    assert found[license_name] == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    told = metadata_of(wheel)
    assert told["Name"] == "eventbridge-pipes"
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Requires-Python"] == ">=3.11"
    assert told.get_payload() == (PROJECT / "README.md").read_text()


def test_a_wheel_that_pip_makes_from_the_sdist_is_the_same(
    built: Path, wheel: Path, tmp_path: Path
) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir"]
    (sdist,) = built.glob("*.tar.gz")
    run(*pip, "wheel", *options, tmp_path, sdist)
    (made,) = tmp_path.glob("*.whl")
    assert contents(made) == contents(wheel)


def imported(module: Path) -> Iterator[str]:
    """The top-level packages that a module names in its imports, wherever in it these are."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            yield (node.module or "").partition(".")[0]


def test_modules_import_only_what_the_wheel_requires(
    wheel: Path,
) -> None:
    names = {requirement.name for requirement in requirements_of(wheel)}
    required = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}
    known = required | sys.stdlib_module_names | {PACKAGE.name}
    others = {name for module in PACKAGE.rglob("*.py") for name in imported(module)} - known
    # The types of the clients are for mypy alone.
    assert {name for name in others if not name.startswith("mypy_boto3_")} == set()
    assert required <= {name for module in PACKAGE.rglob("*.py") for name in imported(module)}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that has the wheel, what it requires, and nothing more."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    return environment(folder, [wheel], requirements_of(wheel))


def test_every_module_is_imported_where_only_what_the_wheel_requires_is(installed: Path) -> None:
    everything = (
        "import importlib, pkgutil, eventbridge_pipes as package;"
        "names = [m.name for m in pkgutil.walk_packages(package.__path__, 'eventbridge_pipes.')];"
        "[importlib.import_module(name) for name in names]; print(len(names))"
    )
    modules = list(PACKAGE.rglob("*.py"))
    assert int(run(installed / "python", "-I", "-c", everything)) == len(modules) - 1


def test_the_inventory_is_not_there(installed: Path) -> None:
    others = [
        "alerts",
        "dashboard",
        "deploy",
        "embedded",
        "inventory",
        "inventory_aws",
        "inventory_cli",
        "operations",
    ]
    found = f"import importlib.util as u; print([n for n in {others} if u.find_spec(n)])"
    assert run(installed / "python", "-I", "-c", found).strip() == "[]"


def test_help_and_version_come_from_the_installed_command(installed: Path, wheel: Path) -> None:
    assert run(installed / "eventbridge-pipes", "--help").startswith("usage: eventbridge-pipes ")
    told = run(installed / "eventbridge-pipes", "--version")
    assert told == f"eventbridge-pipes {metadata_of(wheel)['Version']}\n"


def test_the_installed_command_serves_and_keeps_its_state_here(
    installed: Path, tmp_path: Path
) -> None:
    port = free_port()
    variables = clean(
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
    )
    # A `Server` has no working directory of its own.
    argv = ["env", "-C", str(tmp_path), str(installed / "eventbridge-pipes"), "--port", str(port)]
    server = Server.start("eventbridge-pipes", argv, variables, tmp_path / "log")
    try:
        server.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), timeout=60)
        assert (tmp_path / ".eventbridge-pipes" / "pipes.sqlite").exists()
    finally:
        server.stop()
    eventually(lambda: server.finished)


def test_the_example_beside_ministack_brings_the_paid_orders(
    installed: Path, tmp_path: Path
) -> None:
    """The one beside moto: trials/restarts/test_pipes_beside_emulators.py."""
    assert_example_brings_the_paid_orders(installed, tmp_path, "ministack")


@pytest.mark.parametrize("emulator", ["ministack", "moto", "localstack"])
def test_an_example_that_lacks_a_command_says_in_one_line_what_to_install(
    tmp_path: Path, emulator: str
) -> None:
    for name, of_tests in (("dirname", "/usr/bin/dirname"), ("python", sys.executable)):
        (tmp_path / name).symlink_to(of_tests)
    ended = subprocess.run(
        ["/bin/sh", PROJECT / "examples" / f"{emulator}.sh"],
        env=clean(PATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert "pip install" in line
    assert "./services/pipes" in line


def assert_example_brings_the_paid_orders(installed: Path, tmp_path: Path, emulator: str) -> None:
    """With the installed command; the emulators and boto3 are those of the tests."""
    (tmp_path / "eventbridge-pipes").symlink_to(installed / "eventbridge-pipes")
    path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = run(
        # Too late, it ends the whole group: no server is left behind.
        "timeout",
        "50",
        PROJECT / "examples" / f"{emulator}.sh",
        PATH=path,
        PORT=str(free_port()),
        PIPES_PORT=str(free_port()),
        # Listeners of MiniStack's on fixed ports.
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
    )
    came = [line for line in said.splitlines() if line.startswith("came")]
    assert sorted(came) == [
        'came {"order": "A-1", "total": 12.5}',
        'came {"order": "A-3", "total": 7}',
    ]
