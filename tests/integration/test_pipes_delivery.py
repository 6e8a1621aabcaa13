"""The service as it runs: killed, ended, updated, and beside an emulator that restarts.

What a pipe does with records is told by the conformance tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from inventory_cli.embedded import ministack
from inventory_cli.embedded.processes import free_port
from pipes_service import (
    ROLE,
    Pipeline,
    PipesProcess,
    in_state,
    pipes_process,
    unique,
    words,
)
from servers import AwsClient
from waiting import eventually


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture
def mortal(emulator: str, tmp_path: Path) -> Iterator[PipesProcess]:
    """A service of the test's own, to be killed."""
    with pipes_process(emulator, tmp_path / "state") as process:
        yield process


@pytest.fixture
def pipeline(aws: AwsClient, request: pytest.FixtureRequest) -> Pipeline:
    return Pipeline(aws, unique(request.node.name))


def run(pipes: PipesProcess, pipeline: Pipeline, **stream: Any) -> None:
    client = pipes.client()
    client.create_pipe(**pipeline.definition(**stream))
    in_state(client, pipeline.name, "RUNNING")


def settled(pipeline: Pipeline, count: int) -> list[str]:
    """What was delivered, once it is `count` records or more."""
    return eventually(lambda: _at_least(count, pipeline.delivered()))


def _at_least(count: int, found: list[str]) -> list[str]:
    assert len(found) >= count, found
    return found


def test_a_service_that_is_killed_goes_on_and_loses_nothing(
    mortal: PipesProcess, aws: AwsClient
) -> None:
    pipeline = Pipeline(aws, unique("test_killed"), shards=2)
    sent = [f"{number}" for number in range(600)]
    run(mortal, pipeline, BatchSize=20)
    for start in range(0, 600, 200):
        pipeline.put(*sent[start : start + 200])
        settled(pipeline, start + 40)
        mortal.kill()
        mortal.start()
    delivered = eventually(lambda: _all_of(sent, pipeline.delivered()))
    # What was in flight at each of the three kills may come twice, a batch a shard at most.
    assert len(delivered) <= 600 + 3 * 2 * 20


def _all_of(sent: list[str], delivered: list[str]) -> list[str]:
    missing = set(sent) - set(delivered)
    assert not missing, f"{len(missing)} missing"
    return delivered


def test_a_service_that_is_told_to_end_finishes_the_batch_in_flight(
    mortal: PipesProcess, pipeline: Pipeline
) -> None:
    pipeline.put("slow")
    run(mortal, pipeline)
    settled(pipeline, 1)
    mortal.server.stop()
    mortal.start()
    pipeline.put("after")
    assert settled(pipeline, 2) == ["slow", "after"]


def test_an_emulator_that_restarts_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    session = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=ministack.REGION
    )

    def aws(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=ministack.url(port),
        )

    emulator = ministack.start(port, tmp_path / "ministack", os.environ)
    try:
        emulator.wait_until(lambda: ministack.ready(port), timeout=30)
        pipeline = Pipeline(aws, "restart")
        with pipes_process(ministack.url(port), tmp_path / "state") as pipes:
            pipeline.put("before")
            run(pipes, pipeline)
            settled(pipeline, 1)
            emulator.stop()
            eventually(lambda: "trying on" in pipes.log.read_text())
            emulator = ministack.start(port, tmp_path / "ministack", os.environ)
            emulator.wait_until(lambda: ministack.ready(port), timeout=30)
            pipeline.put("after")
            assert settled(pipeline, 2) == ["before", "after"]
            assert pipes.log.read_text().count("trying on") <= 2
    finally:
        emulator.stop()


def test_an_update_keeps_the_position(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("a", "b", key="one")
    run(pipes, pipeline, MaximumRetryAttempts=3)
    settled(pipeline, 2)
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
    pipeline.put("c", "d", key="one")
    settled(pipeline, 4)
    assert [words(event) for event in pipeline.invocations()] == [["a", "b"], ["c"], ["d"]]


def test_a_stopped_pipe_delivers_nothing_and_a_started_one_goes_on(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    pipeline.put("a")
    run(pipes, pipeline)
    settled(pipeline, 1)
    client = pipes.client()
    client.stop_pipe(Name=pipeline.name)
    in_state(client, pipeline.name, "STOPPED")
    pipeline.put("b")
    assert pipeline.delivered() == ["a"]
    client.start_pipe(Name=pipeline.name)
    assert settled(pipeline, 2) == ["a", "b"]


def test_a_pipe_made_again_begins_anew(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("a")
    run(pipes, pipeline)
    settled(pipeline, 1)
    client = pipes.client()
    client.delete_pipe(Name=pipeline.name)

    def gone() -> bool:
        return pipeline.name not in [p["Name"] for p in client.list_pipes()["Pipes"]]

    eventually(gone)
    run(pipes, pipeline)
    assert settled(pipeline, 2) == ["a", "a"]


def test_a_stream_made_again_is_read_on(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("old")
    run(pipes, pipeline)
    settled(pipeline, 1)
    pipeline.kinesis.delete_stream(StreamName=pipeline.name)
    pipeline.kinesis.create_stream(StreamName=pipeline.name, ShardCount=2)
    pipeline.put("new 1", "new 2", "new 3")
    # The emulator lets an iterator of the old stream read the new one: a record that came that way
    # comes again with the new stream, at least once as everything.
    all_of_them = {"old", "new 1", "new 2", "new 3"}
    eventually(lambda: set(pipeline.delivered()) == all_of_them)


def test_a_stream_with_more_shards_is_read_on(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("old")
    run(pipes, pipeline)
    settled(pipeline, 1)
    pipeline.kinesis.split_shard(
        StreamName=pipeline.name,
        ShardToSplit="shardId-000000000000",
        NewStartingHashKey=str(2**127),
    )
    pipeline.put("new 1", "new 2", "new 3")
    assert sorted(settled(pipeline, 4)) == ["new 1", "new 2", "new 3", "old"]
