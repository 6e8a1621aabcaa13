"""The pipeline on testcontainers' LocalStack, with the Pipes service and the producer beside it.

That all parts find each other in containers is shown by tests of `end_to_end`, imported here: one
file, so that one worker starts the servers, and once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer
from tests.end_to_end.test_pipeline import test_the_demo_finds_its_table_right
from tests.end_to_end.test_poison import (
    poisonous,
    poisonous_stack,
    test_a_record_that_ends_the_process_of_the_function_is_isolated,
)
from tests.end_to_end.test_redrive import (
    test_a_dead_letter_is_listed_with_its_payloads_and_put_back,
)

import engine
from container_stack import ContainerBackend, confined
from emulator_gaps import GAPS, SETTINGS, gaps
from operations import table
from pipes_scopes import assert_each_scope_has_its_own
from servers import pipeline
from stack import Stack, expected_of
from waiting import eventually

__all__ = [
    "poisonous",
    "poisonous_stack",
    "test_a_dead_letter_is_listed_with_its_payloads_and_put_back",
    "test_a_record_that_ends_the_process_of_the_function_is_isolated",
    "test_the_demo_finds_its_table_right",
]

StartProducer = Callable[..., DockerContainer]


@pytest.fixture
def producer(backend: ContainerBackend, stack: Stack) -> Iterator[StartProducer]:
    """Starts a producer for the stream of `stack`, with options as its variables."""
    started: list[DockerContainer] = []

    def start(**options: str) -> DockerContainer:
        container = confined(engine.build("producer"), backend.network)
        container.with_envs(STREAM_NAME=stack.names.stream, PRODUCER_OUTPUT="jsonl")
        container.with_envs(**{f"PRODUCER_{name}": value for name, value in options.items()})
        started.append(container)
        return container.start()

    yield start
    for container in started:
        container.stop()


def lines(container: DockerContainer) -> list[dict[str, object]]:
    """What it printed, line by line."""
    return [json.loads(line) for line in container.get_logs()[0].decode().splitlines()]


def summary(container: DockerContainer) -> dict[str, object]:
    return lines(container)[-1]


def await_the_fold(stack: Stack) -> None:
    """Return once the table is what the events on the stream fold to."""
    placed = stack.stream()
    stack.await_handled((*record.place, record.data) for record in placed)
    assert list(table.changes(expected_of(placed).rows, stack.rows())) == []


def test_what_it_puts_ends_up_in_the_table(producer: StartProducer, stack: Stack) -> None:
    container = producer(COUNT="100", RATE="200", SEED="3", PRODUCTS="25", INVALID_SHARE="0.1")
    assert container.wait() == 0
    assert len(stack.stream()) == 100
    await_the_fold(stack)


def test_sigterm_ends_it_with_all_that_it_took_on_the_stream(
    producer: StartProducer, stack: Stack
) -> None:
    container = producer(RATE="100", SEED="4", PRODUCTS="25")
    eventually(lambda: len(stack.stream()) > 20, timeout=60)
    # SIGTERM; SIGKILL, after more than one call to the stream may take, would be exit code 137.
    container.get_wrapped_container().stop(timeout=60)
    assert container.wait() == 0
    told = summary(container)
    assert told["unconfirmed"] == 0
    assert told["sent"] == len(stack.stream())
    await_the_fold(stack)


def test_each_account_and_region_has_its_own_pipes(backend: ContainerBackend) -> None:
    endpoints = backend.variables
    assert_each_scope_has_its_own(
        endpoints["AWS_ENDPOINT_URL"], endpoints["AWS_ENDPOINT_URL_PIPES"]
    )


def test_what_cloudformation_takes_and_does_not_do_is_known(
    stack: Stack, function_zip: Path
) -> None:
    emulator = "MiniStack" if "ministack" in engine.emulator_image() else "LocalStack"
    with pipeline(stack.backend, SETTINGS, function_zip.read_bytes()) as it:
        assert gaps(it.client, it.names) == GAPS[emulator]
