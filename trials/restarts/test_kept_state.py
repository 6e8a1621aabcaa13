"""What `inventory up` holds is kept as promised: after kills at any moment, and a day of data."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any

import psutil
import pytest

from embedded.trimming import MOST_POINTS, MOST_STREAMS
from front_door import FrontDoor, front_door, read_until
from running_up import (
    LOST,
    READY,
    client,
    folder_of,
    held,
    pid_of,
    put,
    start,
    stop,
    told,
    watcher_of,
)
from waiting import eventually

__all__ = ["front_door"]  # a fixture

STREAM = "realtimeInventoryProcessing"
FUNCTION_LOGS = "/aws/lambda/inventory-processor"
SAVED_SECONDS = 90
"""Within which a stack saves while it runs."""


def newest(door: FrontDoor) -> str:
    return os.readlink(folder_of(door) / "saved")


def assert_right(door: FrontDoor) -> None:
    """The table is what the events on the stream make, once those under way have arrived."""
    code, output = door.run("verify")
    assert code == 0, output


def test_after_the_emulator_was_killed_the_next_run_goes_on_from_what_was_saved_last(
    front_door: FrontDoor,
) -> None:
    """At that moment there are records that no function has seen; later they are handled."""
    up, _ = start(front_door, "--rate", "20", "--invalid-share", "0.05")
    first = newest(front_door)
    pipes = psutil.Process(pid_of(front_door, "pipes"))
    pipes.suspend()
    eventually(lambda: newest(front_door) != first, timeout=SAVED_SECONDS, pause=0.05)
    pipes.resume()
    assert_right(front_door)
    os.kill(pid_of(front_door, "ministack"), signal.SIGKILL)
    output, _ = up.communicate(timeout=60)
    assert "MiniStack was killed. Its log is " in output
    assert front_door.processes() == []
    up, _ = start(front_door, "--rate", "5")
    assert_right(front_door)
    stop(up)


@pytest.mark.parametrize("server", ["pipes", "producer"])
def test_after_another_server_was_killed_nothing_is_lost(
    front_door: FrontDoor, server: str
) -> None:
    up, _ = start(front_door, "--rate", "40", "--invalid-share", "0")
    put(front_door, "1")
    read_until(up, "events/s")
    os.kill(pid_of(front_door, server), signal.SIGKILL)
    if server == "pipes":
        read_until(up, "was killed. Starting it again.")
        stop(up)
    else:
        up.communicate(timeout=60)
    assert front_door.processes() == []
    up, _ = start(front_door, "--rate", "5")
    assert "1" in held(front_door)
    assert_right(front_door)
    stop(up)


@pytest.mark.parametrize("watched", [True, False])
def test_after_up_was_killed_nothing_is_lost_and_what_it_has_left_is_ended(
    front_door: FrontDoor, watched: bool
) -> None:
    up, _ = start(front_door, "--rate", "40", "--invalid-share", "0")
    put(front_door, "1")
    if not watched:
        watcher_of(front_door).kill()
    up.kill()
    up.wait()
    if watched:
        eventually(lambda: front_door.processes() == [], timeout=30)
    up, said = start(front_door)
    assert ("Stopping servers that an earlier run left behind." in said) is not watched
    assert "1" in held(front_door)
    assert_right(front_door)
    stop(up)
    assert front_door.processes() == []


def test_a_save_that_fails_is_told_and_the_last_one_is_what_counts(front_door: FrontDoor) -> None:
    up, _ = start(front_door)
    put(front_door, "1")
    stop(up)
    up, _ = start(front_door)
    put(front_door, "2")
    saved = int(newest(front_door).removeprefix("saved."))
    in_the_way = folder_of(front_door) / f"saved.{saved + 1}"
    in_the_way.touch()
    output = stop(up)
    assert up.returncode == 1
    assert LOST in output
    log = (folder_of(front_door) / "ministack" / "ministack.log").read_text()
    assert "FileExistsError" in log
    in_the_way.unlink()
    up, _ = start(front_door)
    assert held(front_door) == {"1"}
    stop(up)


def test_a_second_interrupt_gives_up_saving_and_does_not_say_that_all_is_kept(
    front_door: FrontDoor,
) -> None:
    up, _ = start(front_door)
    psutil.Process(pid_of(front_door, "ministack")).suspend()
    up.send_signal(signal.SIGINT)
    read_until(up, "Saving…")
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=30)
    assert "all data is lost" in output
    assert "kept" not in output
    assert up.returncode == 1


@pytest.mark.parametrize(
    ("moment", "again"),
    [
        ("", False),
        ("", True),
        ("Resources: ", False),
        (READY, True),
        ("events/s", False),
        ("events/s", True),
    ],
)
def test_up_interrupted_at_any_moment_leaves_nothing_running_and_starts_again(
    front_door: FrontDoor, moment: str, again: bool
) -> None:
    up = front_door.start("up", "--rate", "40")
    if moment:
        read_until(up, moment)
    else:
        eventually(lambda: len(front_door.processes()) > 1)
    up.send_signal(signal.SIGINT)
    if again:
        time.sleep(0.1)
        up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=60)
    assert "Traceback" not in output
    assert again or "is kept in" in output
    assert front_door.processes() == []
    up, _ = start(front_door)
    assert_right(front_door)
    stop(up)


def test_a_kill_while_it_saves_leaves_the_whole_state_before_or_the_whole_new_one(
    front_door: FrontDoor,
) -> None:
    """Each round puts its number into the queue and as many records on a stream, and is killed."""
    up, _ = start(front_door, "--count", "1")
    client(front_door, "kinesis").create_stream(StreamName="rounds", ShardCount=1)
    eventually(lambda: records(front_door) == 0)
    fill(front_door, megabytes=30)
    stop(up)
    at_random = random.SystemRandom()
    outcomes = []
    before = 0
    for number in range(1, 11):
        up, _ = start(front_door, "--count", "1")
        kinesis = client(front_door, "kinesis")
        for _ in range(number - before):
            kinesis.put_record(StreamName="rounds", Data=b"-", PartitionKey="-")
        put(front_door, str(number))
        last = newest(front_door)
        group = pid_of(front_door, "ministack")
        up.send_signal(signal.SIGINT)
        eventually(lambda: saving(front_door), timeout=30, pause=0.001)
        time.sleep(at_random.uniform(0, 0.8))
        with suppress(ProcessLookupError):  # it may have ended by now
            os.killpg(group, signal.SIGKILL)
        up.communicate(timeout=60)
        written = newest(front_door) != last
        up, _ = start(front_door, "--count", "1")
        assert records(front_door) == (number if written else before)
        assert (str(number) in held(front_door)) is written
        outcomes.append(written)
        before = records(front_door)
        stop(up)
    print(f"{outcomes.count(True)} of {len(outcomes)} kills came after the state was written")


def saving(door: FrontDoor) -> bool:
    """Whether a state is being written."""
    return len(list(folder_of(door).glob("saved.*"))) > 1


def records(door: FrontDoor) -> int:
    """How many there are on the stream of the rounds."""
    kinesis = client(door, "kinesis")
    shard = kinesis.list_shards(StreamName="rounds")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(
        StreamName="rounds", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return len(kinesis.get_records(ShardIterator=iterator)["Records"])


def fill(door: FrontDoor, megabytes: int) -> None:
    """Put so much on a stream that no pipe reads."""
    kinesis = client(door, "kinesis")
    kinesis.create_stream(StreamName="bulk", ShardCount=1)
    records = [{"Data": os.urandom(1_500), "PartitionKey": str(n)} for n in range(500)]
    for _ in range(megabytes):
        kinesis.put_records(StreamName="bulk", Records=records)


def test_a_day_of_data_is_trimmed_and_saved_and_there_again(front_door: FrontDoor) -> None:
    """A stream holds what an event each second puts there, CloudWatch twice what it keeps."""
    up, _ = start(front_door, "--count", "1")
    fill(front_door, megabytes=50)
    put_points(front_door, metrics=24, points=MOST_POINTS * 2)
    put_lines(front_door, streams=MOST_STREAMS * 2)
    first = newest(front_door)
    eventually(lambda: saving(front_door), timeout=SAVED_SECONDS, pause=0.002)
    began = time.monotonic()
    longest = longest_wait(told(front_door), lambda: newest(front_door) != first)
    while_running = time.monotonic() - began
    assert longest < while_running / 2
    began = time.monotonic()
    output = stop(up)
    at_the_end = time.monotonic() - began
    assert "is kept in" in output
    size = sum(f.stat().st_size for f in folder_of(front_door).glob("saved/**/*") if f.is_file())
    print(
        f"{size / 1e6:.0f} MB; written in {while_running:.1f} s while it ran, in which no call "
        f"waited longer than {longest * 1000:.0f} ms; "
        f"Ctrl+C to the end: {at_the_end:.1f} s"
    )
    began = time.monotonic()
    up, _ = start(front_door, "--count", "1")
    print(f"started again in {time.monotonic() - began:.1f} s")
    logs = client(front_door, "logs")
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=FUNCTION_LOGS)
    assert MOST_STREAMS <= sum(len(page["logStreams"]) for page in pages) < MOST_STREAMS + 100
    assert points_of(front_door, "metric-0") == MOST_POINTS
    stop(up)


def longest_wait(variables: dict[str, str], ended: Callable[[], bool]) -> float:
    """Of the emulator's callers, in seconds, until `ended`."""
    connection = HTTPConnection(variables["AWS_ENDPOINT_URL"].removeprefix("http://"))
    longest = 0.0
    while not ended():
        began = time.monotonic()
        connection.request("GET", "/_ministack/health")
        connection.getresponse().read()
        longest = max(longest, time.monotonic() - began)
    connection.close()
    return longest


def put_points(door: FrontDoor, metrics: int, points: int) -> None:
    cloudwatch = client(door, "cloudwatch")
    now = time.time()
    for number in range(metrics):
        data: list[Any] = [
            {"MetricName": f"metric-{number}", "Timestamp": now - points + n, "Value": n}
            for n in range(points)
        ]
        for at in range(0, points, 1000):
            cloudwatch.put_metric_data(Namespace="Trial", MetricData=data[at : at + 1000])


def put_lines(door: FrontDoor, streams: int) -> None:
    logs = client(door, "logs")
    now = int(time.time() * 1000)
    for number in range(streams):
        named = {"logGroupName": FUNCTION_LOGS, "logStreamName": f"trial-{number}"}
        logs.create_log_stream(**named)
        lines = [{"timestamp": now, "message": "x" * 200} for _ in range(5)]
        logs.put_log_events(**named, logEvents=lines)


def points_of(door: FrontDoor, metric: str) -> float:
    now = time.time()
    found = client(door, "cloudwatch").get_metric_statistics(
        Namespace="Trial",
        MetricName=metric,
        StartTime=now - 86_400,
        EndTime=now + 60,
        Period=86_400,
        Statistics=["SampleCount"],
    )
    return float(sum(point["SampleCount"] for point in found["Datapoints"]))
