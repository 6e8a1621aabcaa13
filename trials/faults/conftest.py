"""A pipeline whose parts call each other through a proxy, and the table of what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

import provisioner
from faults.emulator import Emulator
from faults.line import BATCH_SIZE, Line, Parts
from faults.proxy import standing_before
from faults.table import KEY, FaultTable, Row
from pipes_service import PipesProcess
from stack import Stack

PYTHONPATH = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FaultTable())


@pytest.fixture(scope="session")
def own_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """As long as the test run, but for the tests that restart it."""
    emulator = Emulator(tmp_path_factory.mktemp("ministack"))
    try:
        emulator.start()
        yield emulator
    finally:
        emulator.stop()


@pytest.fixture
def backend(own_emulator: Emulator, tmp_path: Path) -> Iterator[Parts]:
    """Servers of which the Pipes service is this test's own, and sees the proxy only."""
    with standing_before(own_emulator.url) as proxy:
        environment = {"PYTHONPATH": str(PYTHONPATH)}
        pipes = PipesProcess(proxy.url, tmp_path / "pipes", environment=environment)
        try:
            pipes.start()
            yield Parts(own_emulator, proxy, pipes)
        finally:
            pipes.stop()


@pytest.fixture
def options() -> provisioner.Options:
    return provisioner.Options(batch_size=BATCH_SIZE)


@pytest.fixture
def line(
    stack: Stack, backend: Parts, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    monkeypatch.setenv("TARGET", "aws")  # the variables of `stack` lead to its servers
    lead_function(stack, backend.proxy.url)
    line = Line(stack, backend)
    yield line
    row = Row(request.module.BETWEEN, told(request.node), line.injected, line.fates, line.green)
    request.node.user_properties.append((KEY, asdict(row)))
    if not line.green:
        print(backend.pipes.log.read_text())
    if not backend.pipes.server.running:
        backend.start_pipes()


def told(test: pytest.Function) -> str:
    """The fault that a test injects, in words."""
    if hasattr(test, "callspec"):
        return test.callspec.id
    return test.name.removeprefix("test_").replace("_", " ")


def lead_function(stack: Stack, url: str) -> None:
    """Have the function call AWS at `url`."""
    client = stack.session.client("lambda")
    name = stack.names.function
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "AWS_ENDPOINT_URL": url}}
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
