"""What a pipe asks of its target and its enrichment, whatever service they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple, Protocol

from eventbridge_pipes.outcome import Failed, Fault, Succeeded
from eventbridge_pipes.record import Record, json_array


class Message(NamedTuple):
    """What the target gets of one record.

    `record` is what the paths in the target's parameters look into; `body` the text that is sent:
    JSON, unless a template made plain text of it (`is_json` false).
    """

    record: Record
    body: str
    is_json: bool = True


@dataclass(frozen=True)
class Returned:
    """The call went through, and `body` is what it answered: bytes that may be JSON, or empty."""

    body: bytes


Answer = Succeeded | Failed | Fault | Returned
"""`Failed.positions` are those of the messages. `Returned` of a target may name records that
failed (`batchItemFailures`); of an enrichment it holds the events to go on with."""


class Calls(Protocol):
    """Who wants to see the calls that are made (the execution log does, when asked to)."""

    shows_calls: bool
    """Whether anybody looks: when not, nothing need be told."""

    def request(self, parameters: Mapping[str, Any]) -> None: ...

    def response(self, answer: Mapping[str, Any]) -> None: ...


class Target(Protocol):
    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        """Hand all messages over, in their order, in as many calls as the service needs.

        Errors of the caller's making are failed attempts; those of the service are faults.
        Raises nothing.
        """
        ...


class Enrichment(Protocol):
    def call(self, messages: Sequence[Message], calls: Calls) -> Returned | Failed | Fault:
        """Invoke it once, synchronously, with the JSON array of all messages. Raises nothing."""
        ...


def payload(messages: Sequence[Message]) -> bytes:
    """The JSON array of `messages`, as a function or a state machine gets it."""
    return json_array(m.body if m.is_json else quoted(m.body) for m in messages).encode()
