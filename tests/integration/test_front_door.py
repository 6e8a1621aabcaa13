"""`inventory` as a user runs it: what it prints, how it ends, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from provisioner.names import VARIABLES
from stack import RESOURCES
from waiting import eventually

MARK = "INVENTORY_TEST_RUN"
NAMES = [name for name, _ in VARIABLES.values()]


def heed_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class FrontDoor:
    """Runs `inventory` in a folder of its own; every process it starts can be told by a mark."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = uuid.uuid4().hex
        self._started: list[subprocess.Popen[str]] = []
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") or "BUNDLE" in k}
        kept.pop("TARGET", None)
        self.environ = {**kept, MARK: self._mark, "PYTHONUNBUFFERED": "1"}
        self.environ["DASHBOARD_PORT"] = "0"  # tests/browser has it

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "inventory_cli", *arguments],
            cwd=self.folder,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Whoever runs the tests under nohup has SIGHUP ignored, in what they start as well.
            preexec_fn=heed_hangup,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what a failed test left, and its pipes."""
        for process in self._started:
            process.kill()
            process.communicate()

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        process = self.start(*arguments, **variables)
        output, _ = process.communicate(timeout=90)
        return process.returncode, output

    def processes(self) -> list[psutil.Process]:
        """What runs of all that was ever started here."""
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
        """What they listen on."""
        return {
            connection.laddr.port
            for process in self.processes()
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }


@pytest.fixture
def front_door(tmp_path: Path) -> Iterator[FrontDoor]:
    door = FrontDoor(tmp_path)
    yield door
    door.close()
    left = door.processes()
    for process in left:
        process.kill()
    assert left == []


def test_the_demo_proves_its_table_and_leaves_nothing_running(front_door: FrontDoor) -> None:
    code, output = front_door.run("demo", "--count", "60", "--rate", "100", "--seed", "3")
    assert code == 0, output
    assert "Sending 60 events of 40 products, 100 a second (the same again: --seed 3)" in output
    assert "All is well: every event has its outcome, and the table is right." in output
    assert front_door.processes() == []
    assert list(front_door.folder.joinpath(".inventory").iterdir()) == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("", signal.SIGINT),
        ("Servers are up", signal.SIGINT),
        ("created stream", signal.SIGINT),
        ("created function", signal.SIGINT),
        ("Resources are ready", signal.SIGINT),
        ("Sending", signal.SIGINT),
        ("applied", signal.SIGINT),
        ("", signal.SIGTERM),
        ("Sending", signal.SIGTERM),
        ("Sending", signal.SIGHUP),
    ],
)
def test_a_demo_that_is_stopped_at_any_moment_leaves_no_process_and_no_port(
    front_door: FrontDoor, moment: str, number: signal.Signals
) -> None:
    process = front_door.start("demo", "--rate", "20")
    assert process.stdout is not None
    if moment:
        for line in process.stdout:
            if moment in line:
                break
    else:  # as early as there is anything to leave behind
        eventually(lambda: len(front_door.processes()) > 1)
    ports = front_door.ports()
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + number, output
    assert output.endswith(f"Stopped by {number.name}.\n")
    assert front_door.processes() == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_that_does_not_start_is_one_line_and_leaves_nothing(
    front_door: FrontDoor,
) -> None:
    kept = front_door.folder / "state" / "embedded" / "pipes"
    kept.mkdir(parents=True)
    (kept / "pipes.sqlite").write_bytes(b"not a database" * 100)
    code, output = front_door.run("--state", "state", "up")
    assert code == 1
    assert output.startswith("Error: EventBridge Pipes ended with exit code")
    assert len(output.splitlines()) == 1, output
    assert front_door.processes() == []


def test_a_state_folder_that_cannot_be_written_is_one_line(front_door: FrontDoor) -> None:
    front_door.folder.joinpath("state").write_text("in the way")
    assert front_door.run("--state", "state", "up")[0] == 2
    code, output = front_door.run("up", INVENTORY_STATE="state/below")
    assert code == 2
    assert len(output.splitlines()) == 1, output


def test_up_serves_other_commands_until_it_is_stopped_and_goes_on_from_there(
    front_door: FrontDoor,
) -> None:
    own = {"product_id": "Own", "product_name": "Lamp", "quantity": 1}
    line = json.dumps({"event_type": "product_added", "product": own})
    front_door.folder.joinpath("one.jsonl").write_text(line)
    process = front_door.start("up", "--rate", "50", "--products", "10", "--count", "30")
    assert process.stdout is not None
    for line in process.stdout:
        outcomes = line.partition(": applied ")[2]
        if sum(map(int, re.findall(r"\d+", outcomes))) == 30:
            break
    code, output = front_door.run("env")
    assert code == 0
    exports = dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines())
    assert exports["AWS_ENDPOINT_URL_PIPES"].startswith("http://127.0.0.1:")

    code, output = front_door.run("table")
    assert code == 0
    rows = [json.loads(line) for line in output.splitlines()]
    assert {"product_id", "product_name", "quantity", "timestamp"} == set(rows[0])
    assert front_door.run("table", **exports) == (0, output)
    assert front_door.run("provision", "--plan")[1].endswith("nothing to do\n")

    code, output = front_door.run("up")
    assert code == 2
    assert "already" in output

    code, output = front_door.run("produce", "--count", "1", "--from-file", "one.jsonl")
    assert code == 0, output
    eventually(lambda: '"product_id": "Own"' in front_door.run("table")[1])

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert front_door.processes() == []

    again = front_door.start("up", "--rate", "1", "--count", "1")
    assert again.stdout is not None
    shown = ""
    for line in again.stdout:
        shown += line
        if "In another shell" in line:
            break
    assert "created" not in shown
    assert shown.count("unchanged") == RESOURCES
    code, output = front_door.run("table")
    assert len(output.splitlines()) >= len(rows) - 1
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=30)


@pytest.mark.parametrize(
    "command", ["table", "provision", "provision --plan", "destroy --yes", "produce", "demo"]
)
def test_where_no_localstack_answers_it_is_told_in_a_line_how_to_start_it(
    front_door: FrontDoor, command: str
) -> None:
    code, output = front_door.run(*command.split(), TARGET="localstack", LOCALSTACK_PORT="9")
    assert code == 2
    assert output.startswith(
        "Error: no LocalStack answers at http://127.0.0.1:9: start the containers with "
        "`make up TARGET=localstack`"
    )
    assert output.count("\n") == 1


def test_on_localstack_the_commands_work_at_its_ports_with_the_settings_of_compose(
    front_door: FrontDoor,
) -> None:
    process = front_door.start("up", "--count", "1")  # MiniStack, which may take its place
    assert process.stdout is not None
    for line in process.stdout:
        if "In another shell" in line:
            break
    exports = front_door.run("env")[1]
    emulator, pipes = re.findall(r"http://127\.0\.0\.1:(\d+)", exports)
    front_door.folder.joinpath(".env").write_text(
        f"LOCALSTACK_PORT={emulator}\nPIPES_PORT={pipes}\n"
        + "".join(f"{name}=other-{name.lower().replace('_', '-')}\n" for name in NAMES)
    )

    def run(*arguments: str) -> str:
        code, output = front_door.run(*arguments, TARGET="localstack", AWS_PROFILE="production")
        assert code == 0, output
        return output

    assert run("provision").count("created") == RESOURCES
    assert "created" not in run("demo", "--count", "20", "--rate", "100")
    assert "Loaded 7 products" in run("scenario")
    assert "Sending to other-stream-name." in run("produce", "--count", "1", "--output", "text")
    assert '"P8"' in run("table")
    assert run("destroy", "--yes").count("deleted") == RESOURCES
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_destroy_asks_first_and_takes_everything_away(front_door: FrontDoor) -> None:
    process = front_door.start("up", "--count", "1")
    assert process.stdout is not None
    for line in process.stdout:
        if "In another shell" in line:
            break
    code, output = front_door.run("destroy")
    assert (code, output) == (
        2,
        "Error: destroy deletes data and nobody can be asked: pass --yes\n",
    )
    code, output = front_door.run("destroy", "--yes")
    assert code == 0
    assert output.count("deleted") == RESOURCES
    assert output.endswith("nothing of the stage default is left\n")
    assert "would create pipe" in front_door.run("provision", "--plan")[1]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_the_documented_scenario_writes_the_table_before_and_after_each_operation(
    front_door: FrontDoor,
) -> None:
    code, output = front_door.run("scenario")
    assert code == 0, output
    assert output.endswith("The table is right; the story is in DynamodbTableStatus.txt.\n")
    written = (front_door.folder / "DynamodbTableStatus.txt").read_text()
    tables = tables_of(written)
    assert [len(rows) for rows in tables] == [7, 7, 7, 8, 7, 7, 6]
    before, *after = tables
    assert before["P3"] == ("Tablet", "2", "2023-09-25 03:50:19")
    assert after[0]["P3"] == ("Headphones", "36", "2023-09-28 16:04:58")
    assert (before["P8"][1], after[1]["P8"][1]) == ("41", "50")
    assert after[2]["P9"] == ("Headphones", "46", "2023-12-26 05:19:05")
    assert "P3" not in after[3]
    assert after[4] == after[3]
    assert after[5] == {p: row for p, row in after[4].items() if p != "P4"}
    assert written.count("Operation/Event --------> {") == 6


def tables_of(written: str) -> list[dict[str, tuple[str, str, str]]]:
    """The tables of a status file: product id to name, quantity and timestamp."""
    blocks = written.split("-" * 34 + "\n")[1::2]
    return [
        {
            row["product_id"]["S"]: (
                row["product_name"]["S"],
                row["quantity"]["N"],
                row["timestamp"]["S"],
            )
            for row in map(json.loads, block.splitlines())
        }
        for block in blocks
    ]


def test_a_scenario_of_ones_own_takes_the_place_of_the_documented_one(
    front_door: FrontDoor,
) -> None:
    story = front_door.folder / "story.jsonl"
    product = {"product_id": "X1", "product_name": "\x1b[31mLamp", "quantity": "4"}
    change = {"product_id": "X1", "quantity_change": -5}
    story.write_text(
        json.dumps({"event_type": "product_added", "product": product})
        + "\n"
        + json.dumps({"event_type": "product_quantity_changed", "product": change})
        + "\n"
    )
    code, output = front_door.run("scenario", "story.jsonl", "--output", "status.txt")
    assert code == 0, output
    assert "rejected" in output
    written = (front_door.folder / "status.txt").read_text()
    assert [len(rows) for rows in tables_of(written)] == [0, 1, 1]
    assert "\x1b" not in written + output


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["table"], {}, "no stack is running on .inventory/embedded: start one with"),
        (["env"], {}, "no stack is running"),
        (["produce"], {}, "no stack is running"),
        (["produce"], {"TARGET": "aws", "AWS_CONFIG_FILE": os.devnull}, "region"),
        (["table"], {"TARGET": "moon"}, "TARGET is 'moon': it must be one of embedded, localstack"),
        (["up", "--rate", "fast"], {}, "--rate"),
        (["demo", "--count", "0"], {}, "--count"),
        (["up"], {"STREAM_SHARDS": "none"}, "STREAM_SHARDS"),
        (["up"], {"TARGET": "aws"}, "inventory provision"),
        (
            ["up"],
            {"TARGET": "localstack"},
            "run `make up TARGET=localstack` or `docker compose up`",
        ),
        (["env"], {"TARGET": "localstack", "PIPES_PORT": "x"}, "PIPES_PORT='x': must be a whole"),
        (["scenario", "missing.jsonl"], {}, "missing.jsonl"),
        (["nonsense"], {}, "nonsense"),
        (
            ["table"],
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"},
            "",
        ),
    ],
)
def test_a_mistake_is_told_in_a_clear_line_and_exit_2(
    front_door: FrontDoor, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    code, output = front_door.run(*arguments, **variables)
    assert code == 2, output
    assert said in output
    assert "Traceback" not in output
    assert output.strip()
