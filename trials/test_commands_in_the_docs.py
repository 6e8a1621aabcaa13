"""Each command of a page's console blocks, run in the order of the page as a reader would.

In a copy of the checkout, by bash, with the environment that it was installed into. A command fails
where its exit code is not 0.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory_cli.embedded.processes import answers, free_port
from pages import PAGES, PIPES_README, ROOT, TASK_PAGES, commands
from waiting import eventually

SHOWN_ELSEWHERE = {
    "git clone": ".ci/run",
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "make lint": ".ci/run",
    "docker compose": "tests/containers/test_compose.py",
    "pip install ./services/pipes": "tests/integration/test_pipes_package.py",
    "eventbridge-pipes": "tests/integration/test_pipes_package.py",
    "services/pipes/examples": "tests/integration/test_pipes_package.py",
    "aws pipes": "tests/integration/test_pipes_package.py",
}
"""Beginnings of commands, and what runs them instead."""

PAGES_OF_A_RUNNING_PIPELINE = [
    ROOT / "docs" / name
    for name in ("get-started.md", "operate.md", "producer.md", "monitoring.md")
]
SECONDS = 120
BASH = shutil.which("bash") or "bash"
GIT = shutil.which("git") or "git"


class Shell:
    """A bash that keeps its variables from one command to the next; `make up` runs beside it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment
        self._saved = folder / "environment"
        self._up: subprocess.Popen[bytes] | None = None

    def run(self, command: str) -> None:
        if command.startswith("make up"):
            self._start(command)
            return
        # Its variables are there for the next one.
        saved = self._saved
        script = f"set -a\n[ ! -f {saved} ] || . {saved}\n{command}\nexport -p >{saved}"
        done = subprocess.run(
            [BASH, "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"

    def _start(self, command: str) -> None:
        self.stop()
        with (self.folder / "up.log").open("wb") as log:
            self._up = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        page = f"http://127.0.0.1:{self._environment['DASHBOARD_PORT']}"
        eventually(lambda: answers(page), SECONDS)

    def stop(self) -> None:
        if self._up is None:
            return
        os.killpg(self._up.pid, signal.SIGINT)
        self._up.wait(SECONDS)
        self._up = None


@pytest.fixture
def shell(aws_command: Path, tmp_path: Path) -> Iterator[Shell]:
    """In a copy of the checkout, whose environment it shares; its own port for the page."""
    folder = tmp_path / "checkout"
    listed = subprocess.run(
        [GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)  # make goes by the times of files
    (folder / ".venv").symlink_to(ROOT / ".venv")
    environment = {
        # NiceGUI behaves differently in pytest.
        **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MAKE", "PYTEST"))},
        "PATH": f"{aws_command}:{os.environ['PATH']}",
        "DASHBOARD_PORT": str(free_port()),
    }
    shell = Shell(folder, environment)
    yield shell
    shell.stop()


@pytest.fixture(scope="session")
def aws_command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of AWS's command line. Its packages do not go with those of the tests."""
    environment = tmp_path_factory.mktemp("aws")
    uv = [str(ROOT / ".venv/bin/uv"), "--quiet"]
    lock = ROOT / "trials/aws-requirements.txt"
    subprocess.run([*uv, "venv", "--clear", environment], check=True)
    subprocess.run(
        [*uv, "pip", "install", "--require-hashes", "-r", lock, "--python", environment], check=True
    )
    return environment / "bin"


def shown_elsewhere(command: str) -> str | None:
    return next((by for start, by in SHOWN_ELSEWHERE.items() if command.startswith(start)), None)


@pytest.mark.parametrize("page", PAGES_OF_A_RUNNING_PIPELINE, ids=lambda page: page.stem)
def test_each_command_of_the_page_works(page: Path, shell: Shell) -> None:
    told = [command for command in commands(page) if shown_elsewhere(command) is None]
    if not told[0].startswith("make up"):
        shell.run("make up")
    for command in told:
        shell.run(command)


def test_the_commands_of_other_pages_are_run_elsewhere() -> None:
    assert [by for by in SHOWN_ELSEWHERE.values() if not (ROOT / by).is_file()] == []
    others = {*PAGES, *TASK_PAGES} - {*PAGES_OF_A_RUNNING_PIPELINE, PIPES_README}
    left = [
        command
        for page in others
        for command in commands(page)
        if shown_elsewhere(command) is None and not command.startswith(("export ", "make up"))
    ]
    assert left == []
