"""docker-compose.yml as a user runs it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.error import HTTPError

import docker
import pytest
from playwright.sync_api import sync_playwright
from tests.end_to_end.test_metrics import statistics

import chromium
import engine
import foreign_page
from compose_project import Project, left_of, project
from inventory_aws.names import Names
from inventory_aws.stream import read_all
from operations import table
from pages import ROOT
from stack import expected_of
from subscriber import subscribed
from waiting import eventually

OURS = ("pipes", "producer", "dashboard", "deployer", "metrics", "table")
NAMES = Names()
ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PIPES")
WARNING = "contains a member which is not specified"
"""LocalStack's warning of its own answers, of which there would be 50 at a start."""

CHANGED_ROW = re.compile(r"table-1 +\| P\d+ +(added|changed|removed) ")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose images were built from the files as they are."""
    folder = tmp_path_factory.mktemp("compose")
    with project(
        folder, PRODUCER_RATE="2", PRODUCER_PRODUCTS="20", PRODUCER_INVALID_SHARE="0.1"
    ) as it:
        assert it.run("build").returncode == 0
        yield it


@pytest.fixture(scope="module")
def printed(built: Project) -> str:
    """What `docker compose up` prints, up to the first row that changes. The containers run on."""
    argv = [*built.compose.docker_compose_command(), "up"]
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as up:
        output = ""
        try:
            for line in up.stdout or ():
                output += line
                if CHANGED_ROW.search(line):
                    break
        finally:
            os.killpg(up.pid, signal.SIGKILL)  # any other signal would stop the containers
    return output


@pytest.fixture(scope="module")
def running(built: Project, printed: str) -> Project:
    """The project after `docker compose up`. The tests leave it as they find it."""
    up = built.run("up", "--wait", "--no-build")
    assert up.returncode == 0, printed + up.stderr
    return built


def sha256(zip_file: Path) -> str:
    """Return what Lambda shows of this code."""
    return base64.b64encode(hashlib.sha256(zip_file.read_bytes()).digest()).decode()


def rows(it: Project) -> int:
    return len(table.read(it.dynamodb, NAMES.table))


def differences(it: Project) -> list[str]:
    """Between the table and the fold of what is on the stream."""
    expected = expected_of(read_all(it.kinesis, NAMES.stream))
    return list(table.changes(expected.rows, table.read(it.dynamodb, NAMES.table)))


def assert_right(it: Project) -> None:
    """With the producer at rest, the table comes to what the events on the stream fold to."""
    assert it.run("stop", "producer").returncode == 0
    await_no_differences(it)
    assert it.run("start", "producer").returncode == 0


def await_no_differences(it: Project) -> None:
    """When it fails it shows which there were, and what the pipe said."""

    def same() -> bool:
        found = differences(it)
        assert not found, "\n".join(found[:20]) + "\n" + it.run("logs", "pipes").stdout[-5_000:]
        return True

    eventually(same, timeout=90, pause=0.5)


def put(it: Project, kind: str, product: Mapping[str, object], **more: str) -> None:
    data = json.dumps({"event_type": f"product_{kind}", "product": product, **more}).encode()
    it.kinesis.put_record(
        StreamName=NAMES.stream, Data=data, PartitionKey=str(product["product_id"])
    )


def test_the_file_is_valid_and_says_nothing(tmp_path: Path) -> None:
    with project(tmp_path) as it:
        checked = it.run("config", "--quiet")
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_up_prints_rows_as_they_change_and_no_needless_warning(printed: str) -> None:
    assert CHANGED_ROW.search(printed)
    assert WARNING not in printed


def test_up_fills_the_table_and_the_commands_in_a_container_show_that_it_is_right(
    running: Project,
) -> None:
    eventually(lambda: rows(running) >= 10, timeout=60)
    shown = running.cli("table")
    assert json.loads(shown.stdout.splitlines()[0]).keys() >= {"product_id", "quantity"}
    assert running.run("stop", "producer").returncode == 0
    for command in ("verify", "demo --count 20"):
        done = running.cli(*command.split())
        assert done.returncode == 0, done.stdout + done.stderr
    assert running.run("start", "producer").returncode == 0


def test_changed_code_is_deployed_and_the_emulator_goes_on(
    running: Project, function_zip: Path, tmp_path: Path
) -> None:
    emulator, before = running.container("localstack")["Id"], running.code
    changed = tmp_path / "function.zip"
    changed.write_bytes(function_zip.read_bytes())
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr("changed", "")
    changed.chmod(0o644)
    mounted = f"{changed}:/opt/inventory/function.zip:ro"
    # `docker compose watch` and `up` run the same with another image.
    started = running.run("run", "--rm", "--detach", "--volume", mounted, "deployer")
    assert started.returncode == 0, started.stderr
    eventually(lambda: running.code == sha256(changed), timeout=60)
    container = started.stdout.split()[-1]  # after what the build prints
    removed = subprocess.run(["docker", "rm", "--force", container], capture_output=True)  # noqa: S607
    assert removed.returncode == 0, removed.stderr
    assert running.run("restart", "deployer").returncode == 0
    eventually(lambda: running.code == before, timeout=60)
    assert running.container("localstack")["Id"] == emulator


def test_all_that_is_published_is_on_the_loopback(running: Project) -> None:
    published = []
    for service in ("localstack", "pipes", "producer", "dashboard"):
        ports = running.container(service)["NetworkSettings"]["Ports"].values()
        published += [bound["HostIp"] for bindings in ports for bound in bindings or []]
    assert published
    assert set(published) == {"127.0.0.1"}


def test_the_page_is_served(running: Project) -> None:
    with urllib.request.urlopen(running.dashboard, timeout=30) as page:  # noqa: S310
        assert b"Inventory" in page.read()


@pytest.mark.parametrize("service", OURS)
def test_our_containers_have_nothing_that_they_do_not_need(running: Project, service: str) -> None:
    container = running.container(service)
    host = container["HostConfig"]
    assert container["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0


def test_no_container_has_a_volume_that_down_would_leave_behind(running: Project) -> None:
    mounts = [m for it in (*OURS, "localstack") for m in running.container(it)["Mounts"]]
    volumes = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
    assert volumes == {f"{running.name}_{name}" for name in ("function", "localstack", "pipes")}


@pytest.mark.parametrize("service", [*OURS, "localstack"])
def test_no_container_prints_control_sequences(running: Project, service: str) -> None:
    assert "\x1b" not in running.log(service)


def test_redrive_in_a_container_asks_on_the_terminal(running: Project) -> None:
    product = {"product_id": "cli-1", "product_name": "Desk", "quantity": 3}
    put(running, "added", product)
    for change in (-5, 9):
        put(running, "quantity_changed", {"product_id": "cli-1", "quantity_change": change})
    eventually(lambda: quantity(running, "cli-1") == 12, timeout=60)
    redrive = [*running.compose.docker_compose_command(), "run", "--rm", "cli", "redrive"]
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        process = subprocess.Popen(
            [*redrive, "--force", "--product", "cli-1"],
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        seen = b""
        while b"[y/N]" not in seen:
            seen += terminal.read(1000)
        terminal.write(b"y\n")
        assert process.wait(60) == 0
    eventually(lambda: quantity(running, "cli-1") == 7, timeout=60)


def test_a_rejection_is_told_and_counted_and_a_change_is_in_the_audit_log(
    running: Project,
) -> None:
    alerts = subscribed(running.client, NAMES.topic, "people")
    for event_id, number in (("audited-1", 3), ("audited-2", -1)):
        product = {"product_id": "audited", "product_name": "Desk", "quantity": number}
        put(running, "added", product, event_id=event_id)
    eventually(
        lambda: any('"audited-2"' in a["attributes"].get("event_id", "") for a in alerts()),
        timeout=90,
    )
    eventually(
        lambda: statistics(running.client, NAMES.function, "events_rejected")[1] > 0, timeout=60
    )
    shown = running.cli("audit", "--product", "audited")
    [change] = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (change["before"], change["after"]["quantity"]) == (None, 3)


def quantity(it: Project, product_id: str) -> int | str | None:
    row = table.read(it.dynamodb, NAMES.table).get(product_id)
    return row.quantity if row else None


@pytest.mark.parametrize("service", ["producer", "pipes", "localstack"])
def test_a_restart_in_the_middle_of_the_run_leaves_the_table_right(
    running: Project, service: str
) -> None:
    eventually(lambda: rows(running) > 0, timeout=60)
    if service == "localstack" and not engine.emulator_keeps_state():
        # The pipe still delivers what it has read of a stream that is then forgotten: let there
        # be nothing under way, or the new table has rows of events that no stream has any more.
        assert running.run("stop", "producer").returncode == 0
        await_no_differences(running)
    ending = "kill" if service == "pipes" else "stop"
    assert running.run(ending, service).returncode == 0
    # Of this one alone: while the emulator was away the producer is not well, and says so.
    assert running.run("up", "--wait", "--no-build", "--no-recreate", service).returncode == 0
    assert running.run("start", "producer").returncode == 0
    before = len(read_all(running.kinesis, NAMES.stream))
    eventually(lambda: len(read_all(running.kinesis, NAMES.stream)) > before + 5, timeout=60)
    assert_right(running)


@pytest.mark.usefixtures("built")
def test_wrong_settings_end_up_before_the_emulator_runs_and_each_is_a_line(tmp_path: Path) -> None:
    with project(tmp_path, BATCH_SIZE="0", PRODUCER_RATE="fast") as it:
        up = it.run("up", "--wait", "--no-build")
        assert up.returncode == 1
        assert up.stderr.endswith(f"container {it.name}-deployer-1 exited (2)\n")
        assert it.container("localstack")["State"]["Health"]["Status"] == "starting"
        batch_size, rate = it.log("deployer").splitlines()
        assert batch_size == "BATCH_SIZE must be a whole number from 1 to 10000 (it is '0')"
        assert rate == "PRODUCER_RATE must be a number above 0, such as 20 (it is 'fast')"


def test_a_changed_setting_keeps_the_emulator_and_a_producer_that_is_done_is_healthy(
    running: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    eventually(lambda: rows(running) > 0, timeout=60)
    emulator = running.container("localstack")["Id"]
    monkeypatch.setenv("LOG_RETENTION_DAYS", "3")
    monkeypatch.setenv("PRODUCER_COUNT", "1")
    monkeypatch.setenv("PRODUCER_RATE", "100")
    up = running.run("up", "--wait", "--no-build")
    assert up.returncode == 0, up.stderr
    # The log groups. MiniStack's change set also names what depends on them.
    updated = 7 if engine.emulator_keeps_state() else 2
    assert f"Stage default: {updated} updated" in running.log("deployer")
    eventually(lambda: "1 events sent" in running.log("producer"), timeout=60)
    assert running.container("producer")["State"]["Health"]["Status"] == "healthy"
    monkeypatch.undo()
    assert running.run("up", "--wait", "--no-build").returncode == 0
    assert running.container("localstack")["Id"] == emulator
    assert rows(running) > 0


def test_the_emulator_does_not_warn_of_its_own_answers(running: Project) -> None:
    """Every minute it looks at the alarms, and would. The tests before take longer than that."""
    assert WARNING not in running.log("localstack")


def test_the_configuration_hands_every_setting_on(tmp_path: Path) -> None:
    with project(tmp_path, BATCH_SIZE="7", PRODUCER_SEED="12") as it:
        services = it.configuration()
        for service in ("deployer", "dashboard", "table", "cli"):
            assert services[service]["environment"]["BATCH_SIZE"] == "7"
        # Compose recreates a service whose environment changes. LocalStack would forget its data.
        assert "BATCH_SIZE" not in services["localstack"]["environment"]
        assert services["deployer"]["environment"]["PRODUCER_SEED"] == "12"
        assert services["producer"]["environment"]["PRODUCER_SEED"] == "12"


def test_ministack_gets_no_docker_socket_when_set_as_the_example_says(tmp_path: Path) -> None:
    assert "It needs no socket: set DOCKER_SOCKET=/dev/null" in (ROOT / ".env.example").read_text()
    with project(tmp_path, DOCKER_SOCKET="/dev/null") as it:
        mounts = it.configuration()["localstack"]["volumes"]
    assert {m["source"] for m in mounts if m["target"] == engine.SOCKET} == {"/dev/null"}
    assert not any("docker.sock" in m["source"] for m in mounts)


def test_without_an_endpoint_for_pipes_the_hook_asks_the_emulator_itself(tmp_path: Path) -> None:
    with project(tmp_path, PIPES_ENDPOINT="") as it:
        services = it.configuration()
        assert services["localstack"]["environment"]["AWS_ENDPOINT_URL_PIPES"] == ""


def test_the_commands_have_no_more_rights_than_the_other_containers(tmp_path: Path) -> None:
    with project(tmp_path) as it:
        services = it.configuration()
    cli = services["cli"]
    assert cli["image"] == services["deployer"]["image"]  # whose user is tested above
    assert (cli["read_only"], cli["cap_drop"]) == (True, ["ALL"])
    assert cli["security_opt"] == ["no-new-privileges:true"]
    assert "volumes" not in cli
    assert "ports" not in cli


def test_watch_rebuilds_a_service_when_its_sources_change(tmp_path: Path) -> None:
    with project(tmp_path) as it:
        services = it.configuration()
    for service in ("deployer", "producer", "dashboard", "pipes"):
        rules = services[service]["develop"]["watch"]
        assert {rule["action"] for rule in rules} == {"rebuild"}
        assert all(Path(rule["path"]).exists() for rule in rules)
    # Compose recreates what depends on a changed service, and LocalStack forgets its data then.
    assert "depends_on" not in services["localstack"]


@pytest.mark.skipif(
    not engine.emulator_keeps_state(),
    reason="LocalStack keeps no data, so `down` is like the restart tested above",
)
def test_what_the_emulator_keeps_survives_down_and_up(running: Project) -> None:
    eventually(lambda: rows(running) > 0, timeout=60)
    assert running.run("stop", "producer").returncode == 0
    await_no_differences(running)
    kept = rows(running)
    assert running.run("down").returncode == 0
    up = running.run("up", "--wait", "--no-build", "localstack", "pipes", "deployer")
    assert up.returncode == 0, up.stderr
    assert rows(running) == kept
    assert running.run("up", "--wait", "--no-build").returncode == 0


@pytest.mark.browser
@pytest.mark.skipif(
    engine.emulator_keeps_state(), reason="MiniStack's own image refuses no page: docs/docker.md"
)
@pytest.mark.parametrize("name", ["127.0.0.1", "evil.localhost"])
def test_a_page_of_another_origin_changes_nothing(running: Project, name: str) -> None:
    with sync_playwright() as playwright, foreign_page.serving() as port:
        browser = playwright.chromium.launch(
            executable_path=chromium.need(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page()
        page.goto(f"http://{name}:{port}")
        foreign_page.attack(page, running.variables)
        browser.close()


@pytest.mark.skipif(
    engine.emulator_keeps_state(), reason="MiniStack's own image refuses no name: docs/docker.md"
)
def test_a_name_that_is_made_to_lead_here_is_refused(running: Project) -> None:
    for url in (*(running.variables[name] for name in ENDPOINTS), running.dashboard):
        request = urllib.request.Request(f"{url}/health", headers={"Host": "evil.example"})  # noqa: S310
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)  # noqa: S310
        with refused.value as answer:
            assert answer.code == 403


def all_run(it: Project) -> bool:
    states = it.states()
    assert set(states) == {"running"}, states
    return True


def test_down_leaves_nothing_though_the_emulator_was_killed(running: Project) -> None:
    for function in (NAMES.function, NAMES.alerts_function):
        eventually(partial(running.has_run, function), timeout=120)
    eventually(partial(all_run, running), timeout=60)
    inside = running.run("exec", "-T", "localstack", "ls", "/etc/localstack/init")
    assert "ready.d" in inside.stdout, inside.stderr  # not in a function's container
    # LocalStack has a container for each function. When it is killed, it cannot remove them.
    unstarted = [] if engine.emulator_keeps_state() else [unstarted_function(running)]
    assert running.run("kill", "localstack").returncode == 0
    assert running.run("down", "--volumes").returncode == 0
    assert left_of(running.name) == unstarted
    assert running.run("down", "--remove-orphans").returncode == 0
    assert left_of(running.name) == []


def unstarted_function(running: Project) -> str:
    """As if LocalStack were killed between creating a container and starting it."""
    client = docker.from_env()
    try:
        [function, *_] = client.containers.list(filters={"name": f"{running.name}.*-lambda-"})
        name = f"{function.name}-unstarted"
        image = function.attrs["Config"]["Image"]
        client.containers.create(image, name=name, labels=function.labels)
    finally:
        client.close()
    return name
