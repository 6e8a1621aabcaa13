"""`inventory up` as a process: started, stopped, and what its stack holds."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil

from front_door import FrontDoor, read_until, runs
from stack import client_at

QUEUE = "inventory-rejected"
READY = "Another shell"
LOST = "MiniStack ended without saving: the next start has the data of"


def start(door: FrontDoor, *options: str, **variables: str) -> tuple[subprocess.Popen[str], str]:
    """One that sends right events alone, and what it said until it was ready."""
    options = options or ("--rate", "1", "--invalid-share", "0")
    up = door.start("up", *options, **variables)
    return up, read_until(up, READY)


def stop(up: subprocess.Popen[str]) -> str:
    """What it says at its end, which Ctrl+C asks for."""
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=60)
    return output


def folder_of(door: FrontDoor) -> Path:
    """Of the stack."""
    return door.folder / ".inventory" / "embedded"


def pid_of(door: FrontDoor, server: str) -> int:
    return int(next(folder_of(door).glob(f"**/{server}.pid")).read_text().split()[0])


def watcher_of(door: FrontDoor) -> psutil.Process:
    """The process that ends the servers when `up` is gone."""
    (found,) = (p for p in door.processes() if runs(p, "embedded.leftovers"))
    return found


def told(door: FrontDoor) -> dict[str, str]:
    """The variables that `inventory env` exports."""
    code, output = door.call("env")
    assert code == 0, output
    return dict(re.findall("^export (.+?)=(.*)$", output, re.MULTILINE))


def client(door: FrontDoor, service: str) -> Any:
    return client_at(service, told(door))


def put(door: FrontDoor, body: str) -> None:
    """Put a message into the queue."""
    sqs = client(door, "sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"], MessageBody=body)


def held(door: FrontDoor) -> set[str]:
    """The bodies of the queue's messages, which stay in it."""
    sqs = client(door, "sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return {message["Body"] for message in found.get("Messages", [])}
