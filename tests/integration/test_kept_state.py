"""What `inventory up` holds, after each of its ends.

trials/restarts/test_kept_state.py has more of them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from front_door import FrontDoor, read_until, runs
from operations.function_log import FunctionLog
from running_up import (
    LOST,
    QUEUE,
    READY,
    client,
    folder_of,
    held,
    pid_of,
    put,
    start,
    stop,
    told,
)
from waiting import eventually

DASHBOARD = 8080
TABLE = "product_inventory"
FUNCTION = "inventory-processor"
ROW = {"product_id": {"S": "Own"}}
EVENTS = [
    json.dumps({"event_type": "product_added", "event_id": str(number), "product": product})
    for number in range(3)
    for product in [{"product_id": f"Early{number}", "product_name": "Lamp", "quantity": 1}]
]


class Running:
    """`inventory up` in one folder, started again after each of its ends."""

    def __init__(self, door: FrontDoor) -> None:
        self.door = door
        self.again()

    def again(self, **variables: str) -> None:
        self.up, self.said = start(self.door, **variables)

    def again_with_a_slow_page(self) -> None:
        """The page answers once EVENTS have their outcomes."""
        since = time.time()
        self.door.folder.joinpath("events.jsonl").write_text("\n".join(EVENTS))
        self.up = self.door.start("up", "--from-file", "events.jsonl", DASHBOARD_PORT="")
        (page,) = eventually(lambda: [p for p in self.door.processes() if runs(p, "dashboard")])
        page.suspend()
        try:
            log = FunctionLog(client(self.door, "logs"), FUNCTION, since)
            eventually(lambda: log.poll().handled >= len(EVENTS))
        finally:
            page.resume()
        self.said = read_until(self.up, READY)


@pytest.fixture(scope="module")
def of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    door = FrontDoor(tmp_path_factory.mktemp("kept"))
    try:
        running = Running(door)
        yield running
        if running.up.poll() is None:
            stop(running.up)
        left = door.processes()
    finally:
        door.close()
    assert left == []


@pytest.fixture
def running(of_the_module: Running) -> Running:
    if of_the_module.up.poll() is not None:
        of_the_module.again()
    return of_the_module


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """The port, by this test or somebody else."""
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError:
        listener = socket.socket()
    with listener:
        yield


def test_up_says_that_a_port_is_in_use_and_has_its_data_on_another(
    running: Running,
) -> None:
    door = running.door
    before = told(door)
    put(door, "message")
    client(door, "dynamodb").put_item(TableName=TABLE, Item=ROW)
    stop(running.up)
    port = urlsplit(before["AWS_ENDPOINT_URL"]).port
    assert port is not None
    with occupied(port), occupied(DASHBOARD):
        running.again_with_a_slow_page()
    announced = re.findall("^Dashboard +(.+)$", running.said, re.MULTILINE)[0]
    for taken, name in ((DASHBOARD, "the dashboard"), (port, "MiniStack")):
        said = f"Port {taken} is in use by another program, so {name} uses port "
        assert said in running.said
    with urllib.request.urlopen(announced, timeout=30) as page:  # noqa: S310
        assert b"Inventory" in page.read()
    endpoint = told(door)["AWS_ENDPOINT_URL"]
    assert endpoint != before["AWS_ENDPOINT_URL"]
    url = client(door, "sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    assert url == f"{endpoint}/000000000000/{QUEUE}"
    assert client(door, "sqs").list_queues(QueueNamePrefix=QUEUE)["QueueUrls"] == [url]
    assert held(door) == {"message"}
    assert client(door, "dynamodb").get_item(TableName=TABLE, Key=ROW)["Item"] == ROW
    read_until(running.up, "The producer has sent all its events and ended.\n")
    # Events that the function handled before there was a page count, those of earlier runs do not.
    status = read_until(running.up, "events/s: ").splitlines()[-1].partition("events/s: ")[2]
    assert sum(map(int, re.findall(r"\d+", status))) == len(EVENTS)


def test_servers_of_a_killed_up_end_and_keep_their_data_and_ports(
    running: Running,
) -> None:
    before = told(running.door)
    put(running.door, "of a killed run")
    running.up.kill()
    running.up.wait()
    eventually(lambda: running.door.processes() == [], timeout=30)
    running.again()
    assert "left behind" not in running.said
    assert "Resources: no changes (" in running.said
    assert told(running.door) == before
    assert "of a killed run" in held(running.door)


def test_after_the_emulator_was_killed_the_next_start_has_the_saved_state(
    running: Running,
) -> None:
    before, saved = held(running.door), os.readlink(folder_of(running.door) / "saved")
    put(running.door, "not saved")
    os.kill(pid_of(running.door, "ministack"), signal.SIGKILL)
    output, _ = running.up.communicate(timeout=60)
    assert running.up.returncode == 1
    assert "MiniStack was killed. Its log is " in output
    assert LOST in output
    assert "kept" not in output
    assert os.readlink(folder_of(running.door) / "saved") == saved
    running.again()
    assert "created" not in running.said
    assert held(running.door) == before


def test_env_connects_a_shell_that_was_connected_elsewhere(running: Running) -> None:
    elsewhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:2",
        "AWS_PROFILE": "production",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "HTTP_PROXY": "http://127.0.0.1:3",
    }
    code, output = running.door.call("env", **elsewhere)
    assert code == 0
    shell = 'eval "$TOLD" && env --null'
    environ = {**running.door.environ, **elsewhere, "TOLD": output}
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
    assert led["AWS_ENDPOINT_URL"] == told(running.door)["AWS_ENDPOINT_URL"]
    assert led["no_proxy"] == "127.0.0.1,localhost"


def test_up_goes_on_after_destroy_and_deploy(running: Running) -> None:
    assert running.door.call("destroy", "--yes")[0] == 0
    read_until(running.up, "The producer waits for a stream: `deploy` creates it.\n")
    assert running.door.call("deploy")[0] == 0
    read_until(running.up, "The producer ended, and was started again: ")
    eventually(lambda: running.door.call("table")[1] != "", pause=0.2)
