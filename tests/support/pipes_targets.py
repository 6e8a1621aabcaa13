"""Messages for the tests of targets, and somebody who watches the calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from eventbridge_pipes.record import Record
from eventbridge_pipes.targets.target import Message


def message(value: Any) -> Message:
    """An event of this value, sent as it is."""
    body = json.dumps(value)
    return Message(Record(body=body, members=value), body)


def messages(*values: Any) -> list[Message]:
    return [message(value) for value in values]


def text(body: str) -> Message:
    """What a template made plain text of."""
    return Message(Record(body="{}", members={}), body, is_json=False)


class Seen:
    """Wants to see all calls."""

    shows_calls = True

    def __init__(self) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.responses: list[Mapping[str, Any]] = []

    def request(self, parameters: Mapping[str, Any]) -> None:
        self.requests.append(parameters)

    def response(self, answer: Mapping[str, Any]) -> None:
        self.responses.append(answer)


class Unseen(Seen):
    """Must not be told."""

    shows_calls = False
