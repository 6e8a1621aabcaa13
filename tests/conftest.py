"""Fixtures that more than one tier uses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import settings

import build_zip
import chromium
import engine
import provisioner
from inventory_cli.aws import Clients
from inventory_cli.embedded import ministack
from inventory_cli.embedded.processes import free_port
from inventory_cli.embedded.stack import EmbeddedStack
from inventory_cli.function_log import FunctionLog
from scheduling import ServersTogether
from stack import Backend, EmbeddedBackend, Stack, environment_of, own_names

AwsClient = Callable[[str], Any]

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("untimed", deadline=None, print_blob=True)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of a MiniStack that lives as long as the test run."""
    port = free_port()
    server = ministack.start(port, tmp_path_factory.mktemp("ministack"), os.environ)
    try:
        server.wait_until(lambda: ministack.ready(port), timeout=30)
        yield ministack.url(port)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def aws(emulator: str) -> AwsClient:
    """`aws("kinesis")` is the boto3 client of the emulator; the environment is left alone."""
    session = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=ministack.REGION
    )

    @cache
    def client(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=emulator,
            config=Config(retries={"mode": "standard"}),
        )

    return client


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Servers as processes of this machine, as long as the test run."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), os.environ, time.sleep) as servers:
        yield EmbeddedBackend(servers)


@pytest.fixture(scope="session")
def in_containers() -> Iterator[Backend]:
    """Servers in containers, as long as the test run."""
    engine.need()
    from container_stack import containers  # testcontainers looks at the engine when imported

    with containers() as servers:
        yield servers


@pytest.fixture(scope="session")
def backend(embedded: Backend) -> Backend:
    """The servers that `stack` is on; a folder of tests may have others."""
    return embedded


@pytest.fixture
def options() -> provisioner.Options:
    """How the resources of `stack` are set up; a folder of tests may have others."""
    return provisioner.Options()


@pytest.fixture
def stack(
    backend: Backend,
    options: provisioner.Options,
    function_zip: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """A pipeline of its own, with names that nothing else has.

    The environment leads to it too, so that programs which a test starts find it.
    """
    names = own_names()
    for variable in [v for v in os.environ if v.startswith("AWS_") and "CA_BUNDLE" not in v]:
        monkeypatch.delenv(variable)
    for variable, value in {**backend.variables, **environment_of(names)}.items():
        monkeypatch.setenv(variable, value)
    session = boto3.Session()
    clients = Clients.from_session(session)
    resources = provisioner.Clients.from_session(session)
    log = FunctionLog(clients.logs, names.function, since=time.time())
    provisioner.provision(resources, names, options, function_zip.read_bytes(), lambda _: None)
    yield Stack(backend, session, clients, names, log)
    provisioner.destroy(resources, names, options, lambda _: None)


@pytest.fixture(scope="session")
def function_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function as it is deployed."""
    return build_zip.build(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_containers = [item for item in items if item.get_closest_marker("containers")]
    if in_containers and engine.missing() and not engine.required():
        for item in in_containers:
            item.add_marker(pytest.mark.skip(reason=engine.missing()))
    in_a_browser = [item for item in items if item.get_closest_marker("browser")]
    if in_a_browser and chromium.missing() and not chromium.required():
        for item in in_a_browser:
            item.add_marker(pytest.mark.skip(reason=chromium.missing()))


def pytest_xdist_auto_num_workers() -> int:
    """More than there are processors: the tests of servers wait half of the time."""
    processors = os.cpu_count() or 1
    return max(processors, min(2 * processors, 8))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ServersTogether:
    return ServersTogether(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """What was not tested is said last, where it is seen."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    left_out = [report for report in skipped if engine.LEFT_OUT in str(report.longrepr)]
    if left_out:
        reporter.write_line(
            f"Left out: {len(left_out)} tests in containers. "
            "Start Docker, then: make test-containers"
        )
    unseen = [report for report in skipped if chromium.LEFT_OUT in str(report.longrepr)]
    if unseen:
        reporter.write_line(
            f"Left out: {len(unseen)} tests in a browser. "
            "Install Chromium (apt-get install chromium), then: make test-browser"
        )
