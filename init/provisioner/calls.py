"""The calls that change something: kept as they are made, and, for a rehearsal, kept back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from provisioner.clients import Clients

if TYPE_CHECKING:
    from botocore.model import OperationModel

# Every operation that is called but does not begin so is taken for one that changes something.
_LOOKS = ("Describe", "Get", "List")

_KEY = "inventory-parameters"


@dataclass(frozen=True)
class Call:
    """One call of an AWS API, named as its model names it."""

    service: str
    operation: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        parameters = json.dumps(self.parameters, default=_shown, ensure_ascii=False)
        return f"{self.service} {self.operation} {parameters}"


def unknown_stream(table: str) -> str:
    """What stands for the ARN of a stream that is not there yet."""
    return f"{{the ARN of the stream of {table}}}"


@dataclass
class _Calls:
    """botocore's events of one client after the other, in the order in which they come."""

    send: bool
    made: list[Call] = field(default_factory=list)

    def keep_parameters(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_KEY] = params

    def note(
        self, model: OperationModel, context: dict[str, Any], **_: Any
    ) -> tuple[AWSResponse, dict[str, Any]] | None:
        """botocore takes what this answers, if it does, for the answer of AWS."""
        parameters = context[_KEY]
        if not model.name.startswith(_LOOKS):
            self.made.append(Call(model.service_model.service_name, model.name, parameters))
            return None if self.send else _answer({})
        if not self.send and model.name == "DescribeTable":
            return self._renewed_stream(parameters["TableName"])
        return None

    def _renewed_stream(self, table: str) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Of a table that got a stream in this rehearsal, what there will be to read."""
        for call in self.made:
            given = call.parameters
            if given.get("TableName") == table and "StreamViewType" in given.get(
                "StreamSpecification", {}
            ):
                return _answer({"Table": {"LatestStreamArn": unknown_stream(table)}})
        return None


@contextmanager
def recorded(clients: Clients, *, send: bool) -> Iterator[list[Call]]:
    """The calls of `clients` that change something, as they come; kept back unless `send`."""
    calls = _Calls(send)
    handlers = (
        ("provide-client-params.*.*", calls.keep_parameters),
        ("before-call.*.*", calls.note),
    )
    events = [getattr(clients, each.name).meta.events for each in fields(clients)]
    for emitter in events:
        for name, handler in handlers:
            emitter.register_first(name, handler)
    try:
        yield calls.made
    finally:
        for emitter in events:
            for name, handler in handlers:
                emitter.unregister(name, handler)


def _answer(parsed: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("", 200, HTTPHeaders(), None), parsed


def _shown(value: object) -> str:
    """The zip of a function, by what tells it from another."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()}"
    return str(value)
