"""What an emulator's start hook runs: `python -m deploy`, its lines and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.settings import TEMPLATE
from stack import RESOURCES, Stack, own_stage

Hook = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hook(stack: Stack, function_zip: Path, tmp_path: Path) -> Hook:
    """Runs it on the servers of the stack, with the changes to the environment that it is given."""
    settings = tmp_path / "settings.json"
    settings.write_text("{}")

    def run(code: Path = function_zip, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy", str(code), str(settings)],
            env={**os.environ, "PYTHONPATH": str(TEMPLATE.parent), **changes},
            capture_output=True,
            text=True,
        )

    return run


def test_the_hook_deploys_and_changes_nothing_the_second_time(stack: Stack, hook: Hook) -> None:
    ended = hook()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"Stage {stack.names.stage}: no changes\n"

    stage = own_stage()
    ended = hook(STAGE=stage)
    assert (ended.returncode, ended.stderr) == (0, "")
    *main, count = ended.stdout.splitlines()
    assert sorted(main) == [
        f"created function {stage}-inventory-processor",
        f"created pipe {stage}-inventory-pipe",
        f"created stream {stage}-realtimeInventoryProcessing",
        f"created table {stage}-product_inventory",
    ]
    assert count == f"Stage {stage}: {RESOURCES} created"
    stack.of(stage).destroy(print)


def test_a_function_that_does_not_run_is_one_line(stack: Stack, hook: Hook, tmp_path: Path) -> None:
    stage = own_stage()
    broken = tmp_path / "function.zip"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("processor/__init__.py", "")
        archive.writestr("processor/handler.py", "import nothing_of_this_name\n")
    ended = hook(broken, STAGE=stage)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"The deployment failed: function {stage}-inventory-processor does not ")
    assert "nothing_of_this_name" in line
    stack.of(stage).destroy(print)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("AWS_ENDPOINT_URL", "The deployment failed: Could not connect to"),
        ("AWS_ENDPOINT_URL_PIPES", "The deployment failed: eventbridge-pipes apply: "),
    ],
)
def test_a_server_that_does_not_answer_is_one_line_with_its_address(
    hook: Hook, variable: str, text: str
) -> None:
    ended = hook(**{variable: "http://127.0.0.1:9"})
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(text)
    assert "http://127.0.0.1:9/" in line
