"""Records through a pipe, as a Lambda function in the emulator gets them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from conftest import AwsClient
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
from waiting import eventually

SINK = """
import json, os
import boto3

kinesis = boto3.client("kinesis")

def handler(event, context):
    print("records:", len(event))
    kinesis.put_record(
        StreamName=os.environ["SINK"], PartitionKey="all", Data=json.dumps({what}).encode()
    )
"""
ECHO = SINK.replace("{what}", "event")
COUNT = SINK.replace("{what}", "len(event)")


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


def test_records_reach_the_function_in_order(pipes: PipesProcess, pipeline: Pipeline) -> None:
    sent = [f"word {number}" for number in range(250)]
    pipeline.put(*sent[:100], key="one")
    run(pipes, pipeline)
    pipeline.put(*sent[100:], key="one")
    assert settled(pipeline, 250) == sent


def test_a_record_has_the_shape_of_aws_and_its_data_unchanged(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    data = bytes(range(256))
    before = datetime.now(UTC).timestamp() - 1
    number = pipeline.kinesis.put_record(StreamName=pipeline.name, PartitionKey="ключ", Data=data)[
        "SequenceNumber"
    ]
    # The function reads text; this one is only looked at as it is.
    pipeline.replace_function(ECHO)
    run(pipes, pipeline)
    ((record,),) = eventually(pipeline.invocations)
    assert before < record.pop("approximateArrivalTimestamp") < datetime.now(UTC).timestamp()
    assert base64.b64decode(record.pop("data")) == data
    assert record == {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "ключ",
        "sequenceNumber": number,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": ROLE,
        "awsRegion": "us-east-1",
        "eventSourceARN": pipeline.stream_arn,
    }


def test_all_shards_are_read_each_in_its_order(pipes: PipesProcess, aws: AwsClient) -> None:
    pipeline = Pipeline(aws, unique("test_all_shards"), shards=4)
    sent = {key: [f"{key} {number}" for number in range(40)] for key in "abcdefgh"}
    for number in range(40):
        for key, of_key in sent.items():
            pipeline.put(of_key[number], key=key)
    run(pipes, pipeline, BatchSize=7)
    delivered = settled(pipeline, 320)
    assert {key: [word for word in delivered if word[0] == key] for key in sent} == sent
    assert all(len(event) <= 7 for event in pipeline.invocations())


def test_latest_leaves_out_what_was_there_before(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("before")
    run(pipes, pipeline, StartingPosition="LATEST")
    pipeline.put("after")
    assert settled(pipeline, 1) == ["after"]


def test_latest_loses_nothing_when_the_service_dies_before_the_first_record(
    mortal: PipesProcess, pipeline: Pipeline
) -> None:
    pipeline.put("before")
    run(mortal, pipeline, StartingPosition="LATEST")
    mortal.kill()
    pipeline.put("while it was down")
    mortal.start()
    assert settled(pipeline, 1) == ["while it was down"]


def test_at_timestamp_starts_at_that_time(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.put("early")
    pipeline.put("late")
    early, late = arrivals(pipeline)
    run(
        pipes,
        pipeline,
        StartingPosition="AT_TIMESTAMP",
        StartingPositionTimestamp=datetime.fromtimestamp(max(late, early + 0.001), UTC),
    )
    pipeline.put("last")
    # boto3 sends the time in whole seconds, so that the early record may be due as well.
    assert [word for word in settled(pipeline, 2) if word != "early"] == ["late", "last"]


def test_records_that_the_function_reports_are_sent_again_alone(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    pipeline.put("a", "flaky b", "c", "flaky d", "e", key="one")
    run(pipes, pipeline)
    settled(pipeline, 7)
    assert [words(event) for event in pipeline.invocations()] == [
        ["a", "flaky b", "c", "flaky d", "e"],
        ["flaky b", "flaky d"],
    ]


def test_a_poisonous_record_is_dead_lettered_alone_and_its_neighbours_are_delivered(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    sent = ["a", "b", "c", "poison", "d", "e", "f", "g"]
    numbers = pipeline.put(*sent, key="one")
    run(
        pipes,
        pipeline,
        MaximumRetryAttempts=1,
        OnPartialBatchItemFailure="AUTOMATIC_BISECT",
        DeadLetterConfig={"Arn": pipeline.queue_arn},
    )
    (letter,) = eventually(pipeline.dead_letters)
    pipeline.put("after", key="one")
    eventually(lambda: "after" in pipeline.delivered())

    info = letter["KinesisBatchInfo"]
    assert letter["context"] == {
        "partnerResourceArn": f"arn:aws:pipes:us-east-1:000000000000:pipe/{pipeline.name}",
        "condition": "RetryAttemptsExhausted",
    }
    assert info["startSequenceNumber"] == info["endSequenceNumber"] == numbers[3]
    assert (info["batchSize"], info["streamArn"]) == (1, pipeline.stream_arn)
    taken = [
        word
        for event in pipeline.invocations()
        if "poison" not in words(event)
        for word in words(event)
    ]
    assert taken == ["a", "b", "c", "d", "e", "f", "g", "after"]
    assert pipeline.dead_letters() == []


def test_refused_records_are_given_up_on_after_their_attempts(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    numbers = pipeline.put("a", "refused 1", "refused 2", "b", "refused 3", key="one")
    run(
        pipes,
        pipeline,
        MaximumRetryAttempts=2,
        DeadLetterConfig={"Arn": pipeline.queue_arn},
    )
    letters: list[dict[str, Any]] = []

    def both() -> bool:
        letters.extend(pipeline.dead_letters())
        return len(letters) == 2

    eventually(both)
    ranges = {
        (
            letter["KinesisBatchInfo"]["startSequenceNumber"],
            letter["KinesisBatchInfo"]["endSequenceNumber"],
        )
        for letter in letters
    }
    assert ranges == {(numbers[1], numbers[2]), (numbers[4], numbers[4])}
    assert [words(event) for event in pipeline.invocations()] == [
        ["a", "refused 1", "refused 2", "b", "refused 3"],
        ["refused 1", "refused 2", "refused 3"],
        ["refused 1", "refused 2", "refused 3"],
    ]


def test_records_too_old_are_dead_lettered_to_a_topic(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient
) -> None:
    topic = aws("sns").create_topic(Name=pipeline.name)["TopicArn"]
    aws("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=pipeline.queue_arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    pipeline.put("refused for ever")
    run(pipes, pipeline, MaximumRecordAgeInSeconds=1, DeadLetterConfig={"Arn": topic})
    (letter,) = eventually(pipeline.dead_letters)
    assert letter["context"]["condition"] == "RecordAgeExceeded"


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


def test_a_window_gathers_a_batch(pipes: PipesProcess, pipeline: Pipeline) -> None:
    run(pipes, pipeline, BatchSize=3, MaximumBatchingWindowInSeconds=300)
    for word in "abc":
        pipeline.put(word)
    settled(pipeline, 3)
    assert [words(event) for event in pipeline.invocations()] == [["a", "b", "c"]]


def test_a_batch_over_six_megabytes_is_split(pipes: PipesProcess, pipeline: Pipeline) -> None:
    pipeline.replace_function(COUNT)
    large = "x" * 900_000
    for _ in range(8):
        pipeline.put(large, key="one")
    run(pipes, pipeline)
    counts = eventually(lambda: _summing_to(8, pipeline.invocations()))
    assert max(counts) == 5


def _summing_to(total: int, counts: list[Any]) -> list[Any]:
    assert sum(counts) == total, counts
    return counts


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


def arrivals(pipeline: Pipeline) -> list[float]:
    iterator = pipeline.kinesis.get_shard_iterator(
        StreamName=pipeline.name,
        ShardId="shardId-000000000000",
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    records = pipeline.kinesis.get_records(ShardIterator=iterator)["Records"]
    return [record["ApproximateArrivalTimestamp"].timestamp() for record in records]
