"""What `inventory up` holds, after each of its ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psutil
import pytest

from front_door import FrontDoor, front_door, read_until
from waiting import eventually

__all__ = ["front_door"]  # a fixture

QUEUE = "inventory-rejected"
READY = "In another shell"


@pytest.fixture
def folder(front_door: FrontDoor) -> Path:
    """Of the stack."""
    return front_door.folder / ".inventory" / "embedded"


def exports(door: FrontDoor, **variables: str) -> dict[str, str]:
    code, output = door.call("env", **variables)
    assert code == 0, output
    lines = [line for line in output.splitlines() if line.startswith("export ")]
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def sqs(door: FrontDoor) -> Any:
    told = exports(door)
    return boto3.client(
        "sqs",
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=told["AWS_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def put(door: FrontDoor, *bodies: str) -> None:
    client = sqs(door)
    url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    for body in bodies:
        client.send_message(QueueUrl=url, MessageBody=body)


def held(door: FrontDoor) -> set[str]:
    """The bodies of the queue's messages, which stay in it."""
    client = sqs(door)
    url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return {message["Body"] for message in found.get("Messages", [])}


def start(door: FrontDoor) -> tuple[subprocess.Popen[str], str]:
    """`inventory up` that sends right events alone, and what it said until it was ready."""
    up = door.start("up", "--rate", "5", "--invalid-share", "0")
    return up, read_until(up, READY)


def stop(up: subprocess.Popen[str]) -> str:
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=60)
    return output


def pid_of(folder: Path, server: str) -> int:
    return int(next(folder.glob(f"**/{server}.pid")).read_text().split()[0])


def test_ports_and_urls_stay_unless_another_program_took_a_port(front_door: FrontDoor) -> None:
    up, _ = start(front_door)
    told = exports(front_door)
    stop(up)
    up, said = start(front_door)
    assert exports(front_door) == told
    assert "moves" not in said
    stop(up)
    port = urlsplit(told["AWS_ENDPOINT_URL"]).port
    with socket.create_server(("127.0.0.1", port or 0)):
        up, said = start(front_door)
    assert f"Another program listens on {port}, the port of MiniStack, which moves to" in said
    endpoint = exports(front_door)["AWS_ENDPOINT_URL"]
    assert endpoint != told["AWS_ENDPOINT_URL"]
    url = sqs(front_door).get_queue_url(QueueName=QUEUE)["QueueUrl"]
    assert url == f"{endpoint}/000000000000/{QUEUE}"
    assert sqs(front_door).list_queues(QueueNamePrefix=QUEUE)["QueueUrls"] == [url]
    put(front_door, "1")
    assert held(front_door) == {"1"}
    stop(up)


def test_when_up_is_killed_its_servers_end_and_keep_what_they_held(
    front_door: FrontDoor,
) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    up.kill()
    up.wait()
    eventually(lambda: front_door.processes() == [], timeout=30)
    up, said = start(front_door)
    assert "Ended what" not in said
    assert held(front_door) == {"1"}
    stop(up)


def test_what_a_killed_up_has_left_is_ended_by_the_next_which_has_what_it_held(
    front_door: FrontDoor,
) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    for process in front_door.processes():
        if "inventory_cli.embedded.leftovers" in process.cmdline():  # or it would end them
            process.kill()
    up.kill()
    up.wait()
    up, said = start(front_door)
    ended = re.search("Ended what a run that was killed had left: (.*)\n", said)
    assert ended is not None
    assert re.sub(r" \(process \d+\)", "", ended[1]) == (
        "The producer, EventBridge Pipes, MiniStack."
    )
    assert held(front_door) == {"1"}
    stop(up)


def test_when_the_emulator_is_killed_the_next_start_has_the_whole_state_that_was_saved(
    front_door: FrontDoor, folder: Path
) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    stop(up)
    saved = os.readlink(folder / "saved")
    up, _ = start(front_door)
    put(front_door, "2")
    os.kill(pid_of(folder, "ministack"), signal.SIGKILL)
    output, _ = up.communicate(timeout=60)
    assert up.returncode == 1
    assert "MiniStack was ended before it had saved all: the next run begins with what" in output
    assert "kept" not in output
    assert os.readlink(folder / "saved") == saved
    up, said = start(front_door)
    assert "created" not in said
    assert held(front_door) == {"1"}
    stop(up)


def test_a_second_interrupt_gives_up_saving_and_does_not_say_that_all_is_kept(
    front_door: FrontDoor, folder: Path
) -> None:
    up, _ = start(front_door)
    psutil.Process(pid_of(folder, "ministack")).suspend()
    up.send_signal(signal.SIGINT)
    read_until(up, "Saving…")
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=30)
    assert "what the stack held is lost" in output
    assert "kept" not in output
    assert up.returncode == 1


def test_a_shell_is_led_to_the_stack_of_its_folder_wherever_it_leads_now(
    front_door: FrontDoor,
) -> None:
    code, output = front_door.call("env", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert (code, "no stack is running" in output) == (2, True)
    up, _ = start(front_door)
    elsewhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:2",
        "AWS_PROFILE": "production",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "HTTP_PROXY": "http://127.0.0.1:3",
    }
    code, output = front_door.call("env", **elsewhere)
    assert code == 0
    shell = 'eval "$TOLD" && env --null'
    environ = {**front_door.environ, **elsewhere, "TOLD": output}
    ran = subprocess.run(["/bin/sh", "-c", shell], env=environ, capture_output=True, text=True)
    led = dict(line.split("=", 1) for line in ran.stdout.split("\0") if line)
    assert {name for name in led if name.startswith("AWS_") and "CA_BUNDLE" not in name} == {
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_PIPES",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }
    assert led["AWS_ENDPOINT_URL"] == exports(front_door)["AWS_ENDPOINT_URL"]
    assert led["no_proxy"] == "127.0.0.1,localhost"
    stop(up)
