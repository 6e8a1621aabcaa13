"""Queues as sources: no message is received by a pipe that does not run, and none is lost by it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from pipes_functions import Function
from pipes_service import PipesProcess, in_state
from pipes_sources import MakeSource, QueueSource, Run, start_pipe
from servers import AwsClient
from waiting import eventually


def stop(pipes: PipesProcess, name: str) -> None:
    pipes.client().stop_pipe(Name=name)


def start_again(pipes: PipesProcess, name: str, definition: dict[str, Any]) -> None:
    pipes.client().start_pipe(Name=name)


def delete(pipes: PipesProcess, name: str) -> None:
    pipes.client().delete_pipe(Name=name)


def create_again(pipes: PipesProcess, name: str, definition: dict[str, Any]) -> None:
    pipes.client().create_pipe(**definition)


def update(pipes: PipesProcess, name: str) -> None:
    described = pipes.client().describe_pipe(Name=name)
    pipes.client().update_pipe(Name=name, RoleArn=described["RoleArn"], Description="another")


def nothing(pipes: PipesProcess, name: str, definition: dict[str, Any]) -> None:
    pass


def end_service(pipes: PipesProcess, name: str) -> None:
    pipes.server.ask_to_end()


def start_service(pipes: PipesProcess, name: str, definition: dict[str, Any]) -> None:
    pipes.start()


def gone(pipes: PipesProcess, name: str) -> bool:
    with suppress(ClientError):
        pipes.client().describe_pipe(Name=name)
        return False
    return True


def is_in(state: str) -> Callable[[PipesProcess, str], object]:
    return lambda pipes, name: in_state(pipes.client(), name, state)


@pytest.fixture
def letters(aws: AwsClient, name: str) -> QueueSource:
    """The dead-letter queue of the queue."""
    return QueueSource(aws, f"{name}-letters")


@pytest.fixture
def queue(letters: QueueSource, source: MakeSource) -> QueueSource:
    """A queue that gives a message once only."""
    redrive = json.dumps({"deadLetterTargetArn": letters.arn, "maxReceiveCount": 1})
    made: QueueSource = source("sqs", attributes={"RedrivePolicy": redrive})
    return made


@pytest.mark.parametrize(
    ("end", "ended", "begin"),
    [
        pytest.param(stop, is_in("STOPPED"), start_again, id="stop"),
        pytest.param(update, is_in("RUNNING"), nothing, id="update"),
        pytest.param(delete, gone, create_again, id="delete"),
        pytest.param(
            end_service, lambda pipes, name: not pipes.running, start_service, id="shutdown"
        ),
    ],
)
def test_no_receive_outlasts_its_pipe(
    end: Callable[[PipesProcess, str], None],
    ended: Callable[[PipesProcess, str], object],
    begin: Callable[[PipesProcess, str, dict[str, Any]], None],
    mortal: PipesProcess,
    queue: QueueSource,
    letters: QueueSource,
    run: Run,
) -> None:
    """It would take a message that nobody delivers."""
    name = queue.name
    function = run(queue, on=mortal)
    queue.put("before")
    function.received(1)
    definition = {
        "Name": name,
        "Source": queue.arn,
        "Target": function.arn,
        "RoleArn": mortal.client().describe_pipe(Name=name)["RoleArn"],
    }
    end(mortal, name)
    eventually(lambda: ended(mortal, name), timeout=10)
    queue.put("after")
    time.sleep(0.5)  # enough for a receive that waits
    begin(mortal, name, definition)
    function.received(2)
    assert delivered(queue, function) == ["before", "after"]
    eventually(lambda: queue.left() == 0)
    assert letters.left() == 0


def test_what_the_last_receive_of_a_pipe_brings_is_delivered(
    pipes: PipesProcess, queue: QueueSource, letters: QueueSource, run: Run
) -> None:
    function = run(queue)
    queue.put("before")
    function.received(1)
    pipes.client().stop_pipe(Name=queue.name)
    queue.put("meanwhile")
    in_state(pipes.client(), queue.name, "STOPPED")
    assert delivered(queue, function) == ["before", "meanwhile"]
    assert (queue.left(), letters.left()) == (0, 0)


def delivered(queue: QueueSource, function: Function) -> list[str]:
    return list(chain.from_iterable(queue.words(event) for event in function.invocations))


def test_no_thread_and_no_connection_of_a_deleted_pipe_is_left(
    emulator: str, mortal: PipesProcess, aws: AwsClient, name: str, source: MakeSource, run: Run
) -> None:
    # What the service makes once, it has made when a pipe has run.
    first: QueueSource = source("sqs")
    function = run(first, on=mortal)
    first.put("a")
    function.invoked(1)
    service = psutil.Process(mortal.server.pid)
    threads, connections = service.num_threads(), connected(service, emulator)
    queues = [QueueSource(aws, f"{name}-{number}") for number in range(10)]
    names = [start_pipe(mortal, queue, function.arn) for queue in queues]
    eventually(lambda: connected(service, emulator) >= len(names))
    assert service.num_threads() >= threads + len(names)
    for of_queue in names:
        mortal.client().delete_pipe(Name=of_queue)
    eventually(lambda: all(gone(mortal, of_queue) for of_queue in names), timeout=10)
    # The API's own threads may be some more.
    eventually(lambda: service.num_threads() <= threads + 3, timeout=1)
    assert connected(service, emulator) <= connections


def connected(service: psutil.Process, emulator: str) -> int:
    """How many connections the service has to the emulator."""
    port = int(emulator.rpartition(":")[2])
    return sum(bool(c.raddr) and c.raddr.port == port for c in service.net_connections("tcp"))
