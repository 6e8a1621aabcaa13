"""`inventory` as a user runs it: what it prints, its exit code, and that it leaves no process."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from front_door import FrontDoor, front_door, stop_a_demo
from stack import RESOURCES, Backend, own_stage
from waiting import eventually

__all__ = ["front_door"]  # a fixture

MOST_LINES = 15
NOWHERE = "http://127.0.0.1:9"


def test_a_command_that_cannot_start_prints_one_line_and_exits_with_2(
    front_door: FrontDoor,
) -> None:
    """tests/unit/cli/test_mistakes.py has the other mistakes, without a process each."""
    code, output = front_door.run("table")
    assert code == 2
    assert output.startswith("Error: No stack is running in .inventory/embedded. Start one with")
    assert output.count("\n") == 1


def test_the_demo_proves_its_table_and_leaves_nothing_running(front_door: FrontDoor) -> None:
    """On a machine whose environment leads elsewhere."""
    elsewhere = {"HTTP_PROXY": NOWHERE, "AWS_ENDPOINT_URL": NOWHERE, "AWS_PROFILE": "production"}
    code, output = front_door.run(
        "demo", "--count", "60", "--rate", "100", "--seed", "3", **elsewhere
    )
    assert code == 0, output
    assert f"Resources: {RESOURCES} created (" in output
    assert "Sending 60 events about 40 products, 100 per second\n" in output
    assert "Success: every event has an outcome, and the table is right.\n" in output
    assert "Try next: `inventory demo --seed 3`" in output
    # On a slow machine there are more lines of progress.
    lines = [line for line in output.splitlines() if not line.startswith("  sent ")]
    assert len(lines) <= MOST_LINES
    assert front_door.processes() == []
    assert list(front_door.folder.joinpath(".inventory").iterdir()) == []


@pytest.mark.parametrize(("moment", "number"), [("", signal.SIGINT), ("Sending", signal.SIGTERM)])
def test_a_demo_that_is_stopped_leaves_no_process_and_no_port(
    front_door: FrontDoor, moment: str, number: signal.Signals
) -> None:
    """trials/restarts/test_stopped_at_any_moment.py has more moments."""
    stop_a_demo(front_door, moment, number)


def test_a_server_that_does_not_start_is_one_line_and_no_process(
    front_door: FrontDoor,
) -> None:
    in_the_way = front_door.folder / "state" / "embedded" / "pipes" / "lock.sqlite"
    in_the_way.mkdir(parents=True)
    code, output = front_door.call("--state", "state", "up")
    assert code == 1
    assert output.startswith("Error: EventBridge Pipes ended with exit code")
    assert len(output.splitlines()) == 1, output
    assert front_door.processes() == []


def others_may_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except FileNotFoundError:
        return False  # the servers make files and remove them


def test_up_serves_other_commands_until_it_is_stopped(front_door: FrontDoor) -> None:
    """test_kept_state.py has how it goes on."""
    own = {"product_id": "Own", "product_name": "Lamp", "quantity": 1}
    line = json.dumps({"event_type": "product_added", "product": own})
    front_door.folder.joinpath("one.jsonl").write_text(line)
    options = ("--rate", "50", "--products", "10", "--count", "30")
    process = front_door.start("up", *options, BATCH_SIZE="7")
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        outcomes = line.partition(": applied ")[2]
        if sum(map(int, re.findall(r"\d+", outcomes))) == 30:
            break
    # The producer may have ended already, and a machine that is slow shows how far it is.
    others = "The producer has sent all its events and ended.\n|Resources: created .* …\n"
    started = [line for line in told if not re.fullmatch(others, line)]
    words = [line.split(" ")[0] for line in started if not line.startswith(" ")]
    assert words == ["Servers", "Resources:", "Dashboard", "Another", "AWS", "Stop"]
    assert "events/s" not in "".join(told[:8])
    code, output = front_door.call("env")
    assert code == 0
    exports = dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines())
    assert exports["AWS_ENDPOINT_URL_PIPES"].startswith("http://127.0.0.1:")

    code, output = front_door.call("table")
    assert code == 0
    rows = [json.loads(line) for line in output.splitlines()]
    assert {"product_id", "product_name", "quantity", "timestamp"} == set(rows[0])
    assert front_door.call("table", **exports) == (0, output)
    for shell in ({}, exports):
        assert front_door.call("deploy", **shell) == (0, "Stage default: no changes\n")
    changed = front_door.call("deploy", **{**exports, "BATCH_SIZE": "8"})
    assert changed == (0, "updated pipe inventory-pipe\nStage default: 1 updated\n")

    state = front_door.folder / ".inventory"
    assert [path for path in (state, *state.rglob("*")) if others_may_read(path)] == []

    code, output = front_door.call("up")
    assert code == 2
    assert "already" in output

    code, output = front_door.call("produce", "--count", "1", "--from-file", "one.jsonl")
    assert code == 0, output
    eventually(lambda: '"product_id": "Own"' in front_door.call("table")[1], pause=0.2)

    assert front_door.call("destroy") == (
        2,
        "Error: This deletes data, and there is no terminal to ask for confirmation. To delete "
        "anyway, add --yes.\n",
    )
    code, output = front_door.call("destroy", "--yes")
    assert code == 0
    assert output.startswith("deleted pipe inventory-pipe\n")
    assert output.endswith("\nNothing of the stage default is left.\n")
    assert front_door.call("table")[0] == 2

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert front_door.processes() == []


def test_on_localstack_the_commands_work_at_its_ports_with_the_settings_of_compose(
    front_door: FrontDoor, embedded: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded servers stand for LocalStack. The table is empty until the first scenario."""
    stage = own_stage()
    ports = {"LOCALSTACK_PORT": "AWS_ENDPOINT_URL", "PIPES_PORT": "AWS_ENDPOINT_URL_PIPES"}
    settings = {
        "STAGE": stage,
        **{name: str(urlsplit(embedded.variables[url]).port) for name, url in ports.items()},
        "STREAM_SHARDS": "1",
    }
    front_door.folder.joinpath(".env").write_text(
        "".join(f"{name}={value}\n" for name, value in settings.items())
    )
    localstack = {"TARGET": "localstack", "AWS_PROFILE": "production"}

    def run(*arguments: str) -> str:
        code, output = front_door.call(*arguments, **localstack)
        assert code == 0, output
        return output

    output = run("deploy", "--verbose")
    assert output.count("created") == RESOURCES + 1
    assert f"created stream {stage}-realtimeInventoryProcessing\n" in output
    assert output.endswith(f"Stage {stage}: {RESOURCES} created\n")
    assert "Added 7 products" in the_documented_scenario(front_door, localstack)
    assert '"P8"' in run("table")
    with lent(embedded, monkeypatch) as folders:
        the_scenario_of_ones_own(front_door, settings)
    assert [folder.parent.name for folder in folders] == [".inventory"]
    assert not folders[0].exists()
    assert "created" not in run("demo", "--count", "20", "--rate", "100")
    output = run("produce", "--count", "1", "--output", "text")
    assert f"Sending to {stage}-realtimeInventoryProcessing." in output
    assert run("destroy", "--yes").endswith(f"Nothing of the stage {stage} is left.\n")


def the_documented_scenario(front_door: FrontDoor, variables: Mapping[str, str]) -> str:
    """`inventory scenario` writes the table before and after each operation."""
    code, output = front_door.call("scenario", **variables)
    assert code == 0, output
    assert output.endswith("Each event and the table after it are in DynamodbTableStatus.txt.\n")
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
    return output


def the_scenario_of_ones_own(front_door: FrontDoor, variables: Mapping[str, str]) -> None:
    """`inventory scenario FILE` plays that file, and loads no products before."""
    product = {"product_id": "X1", "product_name": "\x1b[31mLamp", "quantity": "4"}
    change = {"product_id": "X1", "quantity_change": -5}
    events = [
        {"event_type": "product_added", "product": product},
        {"event_type": "product_quantity_changed", "product": change},
    ]
    story = front_door.folder / "story.jsonl"
    story.write_text("".join(json.dumps(event) + "\n" for event in events))
    code, output = front_door.call("scenario", story.name, "--output", "status.txt", **variables)
    assert code == 0, output
    assert "rejected" in output
    written = (front_door.folder / "status.txt").read_text()
    assert [len(rows) for rows in tables_of(written)] == [6, 7, 7]
    assert "\x1b" not in written + output


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


@contextmanager
def lent(embedded: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Give this stack to commands that start one of their own. Yield the folders they wanted."""
    folders: list[Path] = []

    @contextmanager
    def stack(folder: Path, *_: Any, **_named: Any) -> Iterator[SimpleNamespace]:
        folders.append(folder)
        yield SimpleNamespace(variables=embedded.variables)

    with monkeypatch.context() as patch:
        patch.setattr("inventory_cli.context.EmbeddedStack", stack)
        yield folders
