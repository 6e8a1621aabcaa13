"""What an emulator's start hook runs: `python -m provisioner ZIP`, its lines and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import provisioner
from provisioner import Names
from stack import RESOURCES, Stack, environment_of, own_names

INIT = Path(__file__).parents[2] / "init"
Hook = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hook(stack: Stack, function_zip: Path) -> Hook:
    """Runs it on the servers of the stack, with the changes to the environment that it is given."""

    def run(code: Path = function_zip, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "provisioner", str(code)],
            env={**os.environ, "PYTHONPATH": str(INIT), **changes},
            capture_output=True,
            text=True,
        )

    return run


def destroy(stack: Stack, names: Names) -> None:
    clients = provisioner.Clients.from_session(stack.session)
    provisioner.destroy(clients, names, provisioner.Options(), lambda _: None)


def test_it_makes_what_is_missing_and_leaves_the_rest(stack: Stack, hook: Hook) -> None:
    ended = hook()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("unchanged") == RESOURCES

    others = own_names()
    ended = hook(**environment_of(others))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("created") == RESOURCES
    assert f"created pipe {others.pipe}" in ended.stdout
    destroy(stack, others)


def test_a_function_that_does_not_run_is_one_line(stack: Stack, hook: Hook, tmp_path: Path) -> None:
    others = own_names()
    broken = tmp_path / "function.zip"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("inventory/__init__.py", "")
        archive.writestr("inventory/handler.py", "import nothing_of_this_name\n")
    ended = hook(broken, **environment_of(others))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"function {others.function} does not run: ")
    assert "nothing_of_this_name" in line
    destroy(stack, others)


def test_each_resource_that_cannot_be_made_is_one_line(stack: Stack, hook: Hook) -> None:
    theirs = own_names()
    sqs = stack.clients.sqs
    names = sorted([theirs.rejected_queue, theirs.dead_letter_queue])
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in names]
    ended = hook(**environment_of(theirs))
    assert ended.returncode == 1
    for name, line in zip(names, sorted(ended.stderr.splitlines()), strict=True):
        assert line.startswith(f"provisioning failed: queue {name}: ")
        assert "tag" in line
    for url in urls:
        sqs.delete_queue(QueueUrl=url)
    destroy(stack, theirs)


@pytest.mark.parametrize(
    ("variable", "code", "text"),
    [
        ("AWS_ENDPOINT_URL", 2, "provisioning did not begin: AWS account"),
        ("AWS_ENDPOINT_URL_PIPES", 1, "provisioning failed: pipe inventory-pipe-"),
    ],
)
def test_a_server_that_does_not_answer_is_one_line_with_its_address(
    hook: Hook, variable: str, code: int, text: str
) -> None:
    ended = hook(**{variable: "http://127.0.0.1:9"})
    assert ended.returncode == code
    (line,) = ended.stderr.splitlines()
    assert line.startswith(text)
    assert "http://127.0.0.1:9/" in line
