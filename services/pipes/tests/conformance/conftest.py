"""The service beside emulators, and a function that answers as the test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from moto_process import Moto
from pipes_functions import Answer, Function, Functions, asking_functions, nothing
from pipes_service import PipesProcess, pipes_process, unique
from pipes_sources import (
    MakeSource,
    QueueSource,
    Run,
    Source,
    StreamSource,
    TableSource,
    start_pipe,
)
from servers import AwsClient


@pytest.fixture(scope="session")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    """The service beside MiniStack, for all tests that let it live."""
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture(scope="session")
def mortal_process(
    emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("mortal") / "state") as process:
        yield process


@pytest.fixture
def mortal(mortal_process: PipesProcess) -> Iterator[PipesProcess]:
    """A service for the test to kill."""
    yield mortal_process
    if not mortal_process.server.running:
        mortal_process.start()


@pytest.fixture(scope="session")
def moto_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    process = Moto(tmp_path_factory.mktemp("moto") / "moto.log")
    try:
        process.start()
        yield process
    finally:
        process.kill()


@pytest.fixture
def moto(moto_process: Moto) -> Iterator[Moto]:
    """A test may kill it."""
    yield moto_process
    if not moto_process.running:
        moto_process.start()


@pytest.fixture(scope="session")
def beside_moto_process(
    emulator: str, moto_process: Moto, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PipesProcess]:
    environment = {"AWS_ENDPOINT_URL_KINESIS": moto_process.url}
    state = tmp_path_factory.mktemp("beside-moto") / "state"
    with pipes_process(emulator, state, environment) as process:
        yield process


@pytest.fixture
def beside_moto(moto: Moto, beside_moto_process: PipesProcess) -> Iterator[PipesProcess]:
    """A service that reads Kinesis of moto; all else is MiniStack's. A test may kill it."""
    yield beside_moto_process
    if not beside_moto_process.running:
        beside_moto_process.start()


@pytest.fixture(scope="session")
def functions(aws: AwsClient) -> Iterator[Functions]:
    with asking_functions(aws, unique("test_conformance")) as made:
        yield made


@pytest.fixture(scope="session")
def enrichments(aws: AwsClient) -> Iterator[Functions]:
    """Another function, for pipes that have one as their enrichment too."""
    with asking_functions(aws, unique("test_enrichments")) as made:
        yield made


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """For the resources of the test."""
    return unique(request.node.name)


@pytest.fixture
def source(aws: AwsClient, name: str) -> MakeSource:
    """`source("kinesis")` is a new one of that kind; so are "dynamodb", "sqs" and "fifo"."""

    def make(kind: str, **members: Any) -> Source:
        match kind:
            case "kinesis":
                return StreamSource(aws, name, **members)
            case "dynamodb":
                return TableSource(aws, name, **members)
            case "fifo":
                return QueueSource(aws, f"{name}.fifo", **members)
        return QueueSource(aws, name, **members)

    return make


@pytest.fixture
def stream(source: MakeSource) -> StreamSource:
    made: StreamSource = source("kinesis")
    return made


@pytest.fixture
def run(pipes: PipesProcess, functions: Functions) -> Iterator[Run]:
    """`run(source, answer=…, BatchSize=3)`: a pipe from the source to a function, running.

    The pipe is of the common service unless it is told `on` which one; members in capitals are
    those of the source's parameters.
    """
    with ExitStack() as stack:

        def running(
            source: Source,
            answer: Answer = nothing,
            on: PipesProcess = pipes,
            **parameters: Any,
        ) -> Function:
            function = stack.enter_context(functions.of(source.name, answer))
            name = start_pipe(on, source, function.arn, **parameters)
            stack.callback(on.client().delete_pipe, Name=name)
            return function

        yield running
