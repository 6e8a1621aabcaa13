"""Each command of a page's console blocks, run in the order of the page as a reader would.

In a copy of the checkout, by bash, with the environment that it was installed into. A command fails
where its exit code is not 0.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import engine
import orphans
from embedded.environment import variables
from embedded.ports import free_port
from embedded.processes import answers
from pages import PAGES, PIPES_README, ROOT, commands
from stack import client_at
from waiting import eventually

SHOWN_ELSEWHERE = {
    "git clone": ".ci/run",
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "make lint": ".ci/run",
    "docker compose": "tests/containers/test_compose.py",
    "pip install ./services/pipes": "tests/integration/test_pipes_package.py",
    "eventbridge-pipes": "tests/integration/test_pipes_package.py",
    "pip install ministack": "tests/integration/test_pipes_package.py",
    "services/pipes/examples": "tests/integration/test_pipes_package.py",
    "aws pipes": "tests/integration/test_pipes_package.py",
}
"""Beginnings of commands, and what runs them instead."""

PAGES_OF_A_RUNNING_PIPELINE = [
    ROOT / "docs" / name
    for name in ("get-started.md", "operate.md", "producer.md", "monitoring.md")
]
PIPES_PAGE = ROOT / "docs" / "pipes.md"
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
        told = self.folder / "up.log"
        with told.open("wb") as log:
            up = self._up = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        page = f"http://127.0.0.1:{self._environment['DASHBOARD_PORT']}"

        def is_there() -> bool:
            if up.poll() is not None:
                pytest.fail(f"$ {command}\n{told.read_text()}")
            return answers(page)

        eventually(is_there, SECONDS)

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
    lock = ROOT / "trials/docs/aws-requirements.txt"
    subprocess.run([*uv, "venv", "--clear", environment], check=True)
    subprocess.run(
        [*uv, "pip", "install", "--require-hashes", "-r", lock, "--python", environment], check=True
    )
    return environment / "bin"


@pytest.fixture
def of_the_page(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The Compose project that docs/pipes.md shows, running. Its variables, for this machine."""
    [shown] = re.findall(r"^```yaml\n(.*?)^```$", PIPES_PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "compose.yml").write_text(shown)
    emulator, pipes = free_port(), free_port()
    services = {
        "localstack": {"image": engine.emulator_image(), "ports": [f"127.0.0.1:{emulator}:4566"]},
        "pipes": {
            "build": {"args": {"BASE_IMAGE": engine.base_image()}},
            "ports": [f"127.0.0.1:{pipes}:4567"],
        },
    }
    of_this_machine = tmp_path / "this-machine.yml"
    of_this_machine.write_text(
        json.dumps({"services": services}).replace('"ports":', '"ports": !override')
    )
    compose = ["docker", "compose", "--project-name", orphans.own_name("page")]
    compose += ["--project-directory", str(ROOT)]
    compose += ["--file", "compose.yml", "--file", of_this_machine.name]
    run = partial(subprocess.run, cwd=tmp_path, check=True)
    try:
        run([*compose, "up", "--detach", "--build"])
        found = variables(f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{pipes}")
        for url in (found["AWS_ENDPOINT_URL"], found["AWS_ENDPOINT_URL_PIPES"] + "/health"):
            eventually(partial(answers, url), SECONDS)
        yield found
    finally:
        run([*compose, "down", "--volumes"])


@pytest.mark.containers
def test_the_compose_project_of_the_page_runs_a_pipe(of_the_page: dict[str, str]) -> None:
    sqs, pipes = (client_at(service, of_the_page) for service in ("sqs", "pipes"))
    source, target = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "paid"))
    pipes.create_pipe(
        Name="orders",
        RoleArn="arn:aws:iam::000000000000:role/pipe",
        Source="arn:aws:sqs:us-east-1:000000000000:orders",
        Target="arn:aws:sqs:us-east-1:000000000000:paid",
    )
    sqs.send_message(QueueUrl=source, MessageBody="hello")
    eventually(lambda: sqs.receive_message(QueueUrl=target).get("Messages"), SECONDS)


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
    others = {*PAGES} - {*PAGES_OF_A_RUNNING_PIPELINE, PIPES_README}
    left = [
        command
        for page in others
        for command in commands(page)
        if shown_elsewhere(command) is None and not command.startswith(("export ", "make up"))
    ]
    assert left == []
