"""Records through a pipe, as a Lambda function in the emulator gets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import AwsClient
from pipes_service import Pipeline, PipesProcess, in_state, pipes_process, unique
from waiting import eventually


@pytest.fixture
def pipes(emulator: str, tmp_path: Path) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path / "state") as process:
        yield process


@pytest.fixture
def pipeline(aws: AwsClient, request: pytest.FixtureRequest) -> Pipeline:
    return Pipeline(aws, unique(request.node.name))


def run(pipes: PipesProcess, pipeline: Pipeline, **stream: object) -> None:
    client = pipes.client()
    client.create_pipe(**pipeline.definition(**stream))
    in_state(client, pipeline.name, "RUNNING")


def test_records_reach_the_function_in_order(pipes: PipesProcess, pipeline: Pipeline) -> None:
    words = [f"word {number}" for number in range(250)]
    pipeline.put(*words[:100], key="one")
    run(pipes, pipeline)
    pipeline.put(*words[100:], key="one")
    assert eventually(lambda: pipeline.delivered()[249:]) == words[249:]
    assert pipeline.delivered() == words
