"""Bad input, end to end: it is applied or rejected, accounted for, and shown safely."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hostile_events import HOSTILE_TEXTS, LONG_TEXTS, key_of
from inventory.failure_messages import parse_rejection
from inventory.stock import Outcome
from inventory_cli.cli import cli
from operations.queue import Queue
from stack import Stack, expected_of
from waiting import eventually

MOST_AT_ONCE = 2**20
"""Bytes of one PutRecords here: LocalStack takes no more than 5 MiB, in base64."""


@pytest.fixture(autouse=True)
def _follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of `stack` lead to its servers, as those of an account would."""
    monkeypatch.setenv("TARGET", "aws")


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result


def added(product_id: str, **more: Any) -> bytes:
    product = {"product_id": product_id, "product_name": product_id, "quantity": 1, **more}
    return json.dumps({"event_type": "product_added", "product": product}).encode()


def put_all(stack: Stack, payloads: list[bytes]) -> list[tuple[str, int, bytes]]:
    """Put them in order, each under its product's id, in as many calls as their sizes need."""
    placed: list[tuple[str, int, bytes]] = []
    part: list[tuple[str, bytes]] = []
    for data in payloads:
        if sum(len(each) for _, each in part) + len(data) > MOST_AT_ONCE:
            placed += stack.put(part)
            part = []
        part.append((key_of(data), data))
    return placed + stack.put(part)


def assert_ends_as_the_fold(stack: Stack, placed: list[tuple[str, int, bytes]]) -> None:
    """Table and queue hold what the contract makes of the records; the proof of it is green."""
    stack.await_handled(placed)
    expected = expected_of(stack.stream())
    assert stack.rows() == expected.rows
    eventually(lambda: rejected(stack) >= expected.rejected)
    assert rejected(stack) == expected.rejected
    assert expected.outcomes[Outcome.FAILED] == 0
    assert "Success: " in run("verify").output


def rejected(stack: Stack) -> set[int]:
    """The sequence numbers of the rejected records; the messages stay where others see them."""
    messages = Queue(stack.clients.sqs, stack.names.rejected_queue).peek()
    found = [parse_rejection(message.body) for message in messages]
    return {rejection.sequence_number for rejection in found if rejection}


def assert_shown_safely(*arguments: str) -> None:
    """Every line prints as it is, for people and for programs."""
    for line in run(*arguments, "--output", "text").output.split("\n")[:-1]:
        assert line.isprintable(), ascii(line)
    for line in run(*arguments, "--output", "jsonl").stdout.split("\n")[:-1]:
        assert line.isascii()
        json.loads(line)


def test_ids_and_names_of_any_text_are_applied_or_rejected_and_shown_safely(stack: Stack) -> None:
    texts = [*HOSTILE_TEXTS, *LONG_TEXTS]
    placed = put_all(stack, [added(text, timestamp=text[:64]) for text in texts])
    assert_ends_as_the_fold(stack, placed)
    rows = stack.rows()
    for text in HOSTILE_TEXTS:
        assert (text in rows) == (text != "")
    for command in ("table", "rejected", "dead-letters"):
        assert_shown_safely(command)
