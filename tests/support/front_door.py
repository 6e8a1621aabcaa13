"""Runs `inventory`: as processes in a folder of their own, or inside the process of the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

import boto3
import click
import psutil
import pytest
from click.testing import CliRunner, Result

from inventory_cli.cli import cli
from waiting import eventually

MARK = "INVENTORY_TEST_RUN"


def heed_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class FrontDoor:
    """Runs `inventory` in one folder. All processes that this starts carry a mark."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = uuid.uuid4().hex
        self._started: list[subprocess.Popen[str]] = []
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") or "BUNDLE" in k}
        for name in ("TARGET", "PYTEST_CURRENT_TEST"):  # NiceGUI behaves otherwise in a test
            kept.pop(name, None)
        self.environ = {**kept, MARK: self._mark, "PYTHONUNBUFFERED": "1"}
        self.environ["DASHBOARD_PORT"] = "0"  # tests/browser has it

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command as a process. Its output and errors are one stream."""
        return self.start_module("inventory_cli", *arguments, **variables)

    def start_module(self, module: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Do the same with another program of ours."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # If the tests run under nohup, all they start would ignore SIGHUP.
            preexec_fn=heed_hangup,
        )
        self._started.append(process)
        return process

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Return the exit code and the output of a command that runs as a process."""
        process = self.start(*arguments, **variables)
        output, _ = process.communicate(timeout=90)
        return process.returncode, output

    def call(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Do the same in this process, which is faster."""
        with chdir(self.folder):
            result = invoke(cli, arguments, environ={**self.environ, **variables})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    def close(self) -> None:
        """End what a failed test left running, and close its pipes."""
        for process in self._started:
            process.kill()
            process.communicate()

    def processes(self) -> list[psutil.Process]:
        """Return the running processes among all that were ever started here."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get(MARK) == self._mark
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue
        return found

    def ports(self) -> set[int]:
        """Return the ports that they listen on."""
        return {
            connection.laddr.port
            for process in self.processes()
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }


@pytest.fixture
def front_door(tmp_path: Path) -> Iterator[FrontDoor]:
    """A folder for `inventory` in which no process is left running after the test."""
    door = FrontDoor(tmp_path)
    yield door
    door.close()
    left = door.processes()
    for process in left:
        process.kill()
    assert left == []


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return what the process prints up to the first line that has `text` in it."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"the process ended without printing {text!r}:\n{read}")


def stop_a_demo(door: FrontDoor, moment: str, number: signal.Signals) -> None:
    """Send a signal when a demo prints `moment`, and check that it leaves nothing behind.

    Without a `moment`, send it as soon as the demo has started another process.
    """
    process = door.start("demo", "--rate", "20")
    if moment:
        read_until(process, moment)
    else:
        eventually(lambda: len(door.processes()) > 1)
    ports = door.ports()
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + number, output
    assert "Stopping… The servers end first.\n" in output, output
    assert output.endswith(f"Stopped by {number.name}.\n"), output
    left = door.processes()
    assert left == [], left
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, port


def invoke(
    command: click.Command,
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    stdin: str = "",
) -> Result:
    """Run a command inside this process, with `environ` as its whole environment."""
    with (
        patch.dict(os.environ, environ, clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),  # it remembers the environment before
    ):
        return CliRunner().invoke(command, arguments, input=stdin, prog_name="inventory")


def runs(process: psutil.Process, module: str) -> bool:
    """Whether the process runs a module. One that has ended runs none."""
    try:
        return module in process.cmdline()
    except psutil.NoSuchProcess:
        return False
