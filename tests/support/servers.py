"""Fixtures for all tests: emulators, and pipelines on them. What a worker starts it starts once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from deploy import package
from deploy.deployment import Deployment
from deploy.settings import Settings
from embedded import ministack
from embedded.environment import isolated
from embedded.ports import free_port
from embedded.stack import EmbeddedStack
from inventory_aws.clients import Clients
from operations.function_log import FunctionLog
from stack import Backend, EmbeddedBackend, Stack, own_stage

AwsClient = Callable[[str], Any]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of a MiniStack."""
    port = free_port()
    server = ministack.start(port, tmp_path_factory.mktemp("ministack"), os.environ)
    try:
        server.wait_until(lambda: ministack.ready(port), timeout=60)
        yield ministack.url(port)
    finally:
        server.kill()  # nobody needs what it holds


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
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBackend]:
    """Servers as processes of this machine."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), os.environ, time.sleep, print) as servers:
        yield EmbeddedBackend(servers)


@pytest.fixture(scope="session")
def in_containers() -> Iterator[Backend]:
    """Servers in containers."""
    from container_stack import containers  # testcontainers looks at the engine when imported

    with containers() as servers:
        yield servers


@pytest.fixture(scope="session")
def backend(embedded: EmbeddedBackend) -> Backend:
    """The servers that `stack` is on; a folder of tests may have others."""
    return embedded


@pytest.fixture(scope="session")
def settings() -> Mapping[str, str]:
    """Variables for the resources of `stack`; a folder of tests may have others."""
    return {}


@pytest.fixture(scope="session")
def function_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function as it is deployed."""
    return package.build(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture(scope="session")
def pipelines(function_zip: Path) -> Callable[..., Stack]:
    """Returns the pipeline that these servers have, with these options; makes it at the first call.

    It is no fixture of the session itself: pytest would keep the first one, and a folder that has
    another `backend` would get a pipeline on the wrong servers.
    """
    code = function_zip.read_bytes()
    made: dict[Backend, Stack] = {}

    def pipeline_on(backend: Backend, settings: Mapping[str, str]) -> Stack:
        if backend not in made:
            made[backend] = deployed(backend, settings, code)
        return made[backend]

    return pipeline_on


@pytest.fixture
def stack(
    backend: Backend,
    settings: Mapping[str, str],
    pipelines: Callable[..., Stack],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """A pipeline that holds nothing yet. The tests of a worker use the same one, one by one.

    The environment leads to it too, so that programs which a test starts find it.
    """
    stack = pipelines(backend, settings)
    lead_to(stack, monkeypatch)
    stack.start_log()
    yield stack
    stack.clear()


@pytest.fixture
def own_stack(
    backend: Backend,
    settings: Mapping[str, str],
    function_zip: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """As `stack`, for a test that changes the function, or that reads all that ever changed."""
    with pipeline(backend, settings, function_zip.read_bytes()) as stack:
        lead_to(stack, monkeypatch)
        yield stack


@contextmanager
def pipeline(backend: Backend, settings: Mapping[str, str], code: bytes) -> Iterator[Stack]:
    """See `deployed`; nothing is left of it afterwards."""
    stack = deployed(backend, settings, code)
    try:
        yield stack
    finally:
        stack.deployment.destroy(lambda done: None)


def deployed(backend: Backend, settings: Mapping[str, str], code: bytes) -> Stack:
    """A pipeline of a stage of its own. `code` is the zip of its functions."""
    session = boto3.Session(
        aws_access_key_id=backend.variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=backend.variables["AWS_SECRET_ACCESS_KEY"],
        region_name=backend.variables["AWS_DEFAULT_REGION"],
    )
    environ = {**os.environ, **backend.variables}
    with pytest.MonkeyPatch.context() as patch:
        set_aws(patch, backend.variables)
        own = Settings.from_env({"STAGE": own_stage(), **settings})
        deployment = Deployment(session, own, environ)
        clients = Clients(session)
        for name in ("dynamodb", "kinesis", "logs", "pipes", "sqs", "stream_reader"):
            getattr(clients, name)  # made here, where the environment leads to the backend
        deployment.deploy(code, lambda plan: None, lambda done: None, pytest.fail)
    log = FunctionLog(clients.logs, deployment.settings.names.function, since=time.time())
    return Stack(backend, session, clients, deployment, log)


def lead_to(stack: Stack, patch: pytest.MonkeyPatch) -> None:
    set_aws(patch, {**stack.backend.variables, "STAGE": stack.names.stage})


def set_aws(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """`variables` take the place of all that the environment says about AWS."""
    for variable in os.environ.keys() - isolated(os.environ, variables).keys():
        patch.delenv(variable)
    for variable, value in variables.items():
        patch.setenv(variable, value)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure on a pipeline shows what is wrong in its table, and what its servers said."""
    report = yield
    if report.failed and call.when == "call" and isinstance(item, pytest.Function):
        stacks = {id(each): each for each in item.funcargs.values() if isinstance(each, Stack)}
        for stack in stacks.values():
            report.sections += stack.evidence()
    return report
