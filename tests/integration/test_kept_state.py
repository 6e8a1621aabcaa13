"""What `inventory up` holds, after each of its ends. trials/test_kept_state.py has more of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil

from front_door import FrontDoor, front_door, read_until
from running_up import QUEUE, client, folder_of, held, pid_of, put, start, stop, told, watcher_of
from waiting import eventually

__all__ = ["front_door"]  # a fixture

DASHBOARD = 8080


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """The port, by this test or somebody else."""
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError:
        listener = socket.socket()
    with listener:
        yield


def test_ports_and_urls_stay_unless_another_program_took_a_port(front_door: FrontDoor) -> None:
    up, _ = start(front_door)
    before = told(front_door)
    stop(up)
    up, said = start(front_door)
    assert told(front_door) == before
    assert "moves" not in said
    stop(up)
    port = urlsplit(before["AWS_ENDPOINT_URL"]).port
    with socket.create_server(("127.0.0.1", port or 0)), occupied(DASHBOARD):
        up, said = start(front_door, DASHBOARD_PORT="")
        announced = read_until(up, "The dashboard: ").split()[-1]
    assert f"Another program listens on {DASHBOARD}, the port of the dashboard" in said
    with urllib.request.urlopen(announced, timeout=30) as page:  # noqa: S310
        assert b"Inventory" in page.read()
    assert f"Another program listens on {port}, the port of MiniStack, which moves to" in said
    endpoint = told(front_door)["AWS_ENDPOINT_URL"]
    assert endpoint != before["AWS_ENDPOINT_URL"]
    url = client(front_door, "sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    assert url == f"{endpoint}/000000000000/{QUEUE}"
    assert client(front_door, "sqs").list_queues(QueueNamePrefix=QUEUE)["QueueUrls"] == [url]
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
    assert "Ending what" not in said
    assert held(front_door) == {"1"}
    stop(up)


def test_what_a_killed_up_has_left_is_ended_by_the_next_which_has_what_it_held(
    front_door: FrontDoor,
) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    watcher_of(front_door).kill()  # or it would end them
    up.kill()
    up.wait()
    up, said = start(front_door)
    ended = re.search("Ending what a run that was killed has left: (.*)\n", said)
    assert ended is not None
    assert re.sub(r" \(process \d+\)", "", ended[1]) == (
        "The producer, EventBridge Pipes, MiniStack."
    )
    assert held(front_door) == {"1"}
    stop(up)


def test_when_the_emulator_is_killed_the_next_start_has_the_whole_state_that_was_saved(
    front_door: FrontDoor,
) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    stop(up)
    saved = os.readlink(folder_of(front_door) / "saved")
    up, _ = start(front_door)
    put(front_door, "2")
    os.kill(pid_of(front_door, "ministack"), signal.SIGKILL)
    output, _ = up.communicate(timeout=60)
    assert up.returncode == 1
    assert "MiniStack ended without saving: the next run begins with what" in output
    assert "kept" not in output
    assert os.readlink(folder_of(front_door) / "saved") == saved
    up, said = start(front_door)
    assert "created" not in said
    assert held(front_door) == {"1"}
    stop(up)


def test_a_second_interrupt_gives_up_saving_and_does_not_say_that_all_is_kept(
    front_door: FrontDoor,
) -> None:
    up, _ = start(front_door)
    psutil.Process(pid_of(front_door, "ministack")).suspend()
    up.send_signal(signal.SIGINT)
    read_until(up, "Saving…")
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=30)
    assert "what the stack held is lost" in output
    assert "kept" not in output
    assert up.returncode == 1


def test_a_save_that_fails_is_told_and_the_last_one_is_what_counts(front_door: FrontDoor) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    stop(up)
    up, _ = start(front_door)
    put(front_door, "2")
    in_the_way = folder_of(front_door) / "saved.2"
    in_the_way.touch()
    output = stop(up)
    assert up.returncode == 1
    assert "MiniStack ended without saving: the next run begins with what" in output
    log = (folder_of(front_door) / "ministack" / "ministack.log").read_text()
    assert "FileExistsError" in log
    in_the_way.unlink()
    up, _ = start(front_door)
    assert held(front_door) == {"1"}
    stop(up)


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
    assert led["AWS_ENDPOINT_URL"] == told(front_door)["AWS_ENDPOINT_URL"]
    assert led["no_proxy"] == "127.0.0.1,localhost"
    stop(up)
