"""A pipeline whose parts call each other through a proxy, and the table of what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from faults.emulator import Emulator
from faults.line import BATCH_SIZE, Line, Parts
from faults.proxy import standing_before
from faults.table import KEY, FaultTable, Row
from servers import deployed, lead_to
from stack import Stack


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


@pytest.fixture(scope="session")
def backend(own_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Servers of which the Pipes service sees the proxy only."""
    with standing_before(own_emulator.url) as proxy:
        parts = Parts(own_emulator, proxy, tmp_path_factory.mktemp("pipes") / "state")
        parts.pipes.start()
        yield parts
        parts.pipes.kill()


@pytest.fixture(scope="session")
def settings() -> Mapping[str, str]:
    return {"BATCH_SIZE": str(BATCH_SIZE)}


@pytest.fixture(autouse=True)
def _fresh_pipes(backend: Parts, tmp_path: Path) -> None:
    backend.renew(tmp_path / "pipes")


@pytest.fixture(scope="session")
def shared_stack(backend: Parts, settings: Mapping[str, str], function_zip: Path) -> Stack:
    stack = deployed(backend, settings, function_zip.read_bytes())
    lead_function(stack, backend.proxy.url)
    return stack


@pytest.fixture
def stack(shared_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    shared_stack.clear()
    shared_stack.start_log()
    lead_to(shared_stack, monkeypatch)
    return shared_stack


@pytest.fixture
def led_stack(own_stack: Stack, backend: Parts) -> Stack:
    """For cases with `settings` of their own."""
    lead_function(own_stack, backend.proxy.url)
    return own_stack


@pytest.fixture
def line(
    stack: Stack, backend: Parts, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    monkeypatch.setenv("TARGET", "aws")  # the variables of `stack` lead to its servers
    line = Line(stack, backend)
    yield line
    row = Row(request.module.BETWEEN, told(request.node), line.injected, line.statuses, line.green)
    request.node.user_properties.append((KEY, asdict(row)))
    if not line.green:
        print(backend.pipes.log.read_text())
    backend.proxy.plan.end()
    if not backend.pipes.running:
        backend.start_pipes()


def told(test: pytest.Function) -> str:
    """The fault that a test injects, in words."""
    if hasattr(test, "callspec"):
        return test.callspec.id
    return test.name.removeprefix("test_").replace("_", " ")


def lead_function(stack: Stack, url: str) -> None:
    """Have the function call AWS at `url`."""
    client = stack.client("lambda")
    name = stack.names.function
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "AWS_ENDPOINT_URL": url}}
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
