"""The service as it runs: ended, stopped, updated, and its pipes made again.

The conformance tests show what a pipe does with records and what a killed service does.
trials/restarts/test_pipes_beside_emulators.py shows how it goes on beside an emulator that
restarts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from embedded.processes import answers
from pipes_functions import Event, Function, Functions, asking_functions
from pipes_service import ROLE, PipesProcess, in_state, pipes_process, unique
from pipes_sources import StreamSource, start_pipe
from servers import AwsClient
from waiting import eventually


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture(scope="module")
def functions(aws: AwsClient) -> Iterator[Functions]:
    with asking_functions(aws, unique("test_delivery")) as made:
        yield made


@dataclass
class Pipeline:
    """A stream and the function that its pipe leads to."""

    pipes: PipesProcess
    stream: StreamSource
    function: Function

    @property
    def name(self) -> str:
        return self.stream.name

    def run(self, **parameters: Any) -> None:
        start_pipe(self.pipes, self.stream, self.function.arn, **parameters)

    def put(self, *words: str) -> None:
        self.stream.put(*words, key="one")

    def batches(self) -> list[list[str]]:
        return [self.stream.words(event) for event in list(self.function.invocations)]

    def settled(self, count: int) -> list[str]:
        """What was delivered, once it is `count` records or more."""
        return [
            word for event in self.function.received(count) for word in self.stream.words(event)
        ]


@pytest.fixture
def pipeline(
    pipes: PipesProcess, functions: Functions, aws: AwsClient, request: pytest.FixtureRequest
) -> Iterator[Pipeline]:
    stream = StreamSource(aws, unique(request.node.name))
    with functions.of(stream.name) as function:
        yield Pipeline(pipes, stream, function)
    pipes.client().delete_pipe(Name=stream.name)


def test_a_service_that_is_told_to_end_finishes_the_batch_in_flight(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    def answer(event: Event) -> None:
        pipeline.function.released.wait(60)

    pipeline.function.answer = answer
    pipeline.put("slow")
    pipeline.run()
    pipeline.settled(1)
    os.kill(pipes.server.pid, signal.SIGTERM)
    eventually(lambda: not answers(f"{pipes.url}/health"))
    assert pipes.server.running
    pipeline.function.released.set()
    eventually(lambda: pipes.server.finished)
    pipes.start()
    pipeline.put("after")
    assert pipeline.settled(2) == ["slow", "after"]


def test_an_update_keeps_the_position(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("a", "b")
    pipeline.run(MaximumRetryAttempts=3)
    pipeline.settled(2)
    client = pipes.client()
    client.update_pipe(
        Name=pipeline.name,
        RoleArn=ROLE,
        SourceParameters={"KinesisStreamParameters": {"BatchSize": 1}},
    )
    described = in_state(client, pipeline.name, "RUNNING")
    assert described["SourceParameters"]["KinesisStreamParameters"] == {
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 1,
    }
    pipeline.put("c", "d")
    pipeline.settled(4)
    assert pipeline.batches() == [["a", "b"], ["c"], ["d"]]


def test_a_stopped_pipe_delivers_nothing_and_a_started_one_goes_on(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    pipeline.put("a")
    pipeline.run()
    pipeline.settled(1)
    client = pipes.client()
    client.stop_pipe(Name=pipeline.name)
    in_state(client, pipeline.name, "STOPPED")
    pipeline.put("b")
    assert pipeline.batches() == [["a"]]
    client.start_pipe(Name=pipeline.name)
    assert pipeline.settled(2) == ["a", "b"]


def test_a_pipe_made_again_begins_anew(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("a")
    pipeline.run()
    pipeline.settled(1)
    client = pipes.client()
    client.delete_pipe(Name=pipeline.name)

    def gone() -> bool:
        return pipeline.name not in [p["Name"] for p in client.list_pipes()["Pipes"]]

    eventually(gone)
    pipeline.run()
    assert pipeline.settled(2) == ["a", "a"]
