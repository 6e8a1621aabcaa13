"""Targets and messages for their tests, and executions whose log shows the calls or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets import target_kind
from eventbridge_pipes.targets.target import Message, Send
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry, PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE

STARTED = {"InvocationType": "FIRE_AND_FORGET"}


def pipe_to(arn: str, parameters: Mapping[str, Any] | None = None) -> Pipe:
    """The pipe `mine` from a stream to `arn`, with these parameters of the target's kind."""
    pipe = replace(PIPE, name="mine", target=arn)
    return replace(pipe, target_parameters={target_kind(pipe).parameters: parameters or {}})


def target_to(clients: Any, arn: str, parameters: Mapping[str, Any] | None = None) -> Send:
    """The target of that pipe. `clients` may be a fake with the few that the target needs."""
    pipe = pipe_to(arn, parameters)
    return target_kind(pipe).connect(pipe, cast(Clients, clients))


def message(value: Any) -> Message:
    """An event of this value, sent as it is."""
    body = json.dumps(value)
    return Message(Record(body=body, members=value), body)


def messages(*values: Any) -> list[Message]:
    return [message(value) for value in values]


def text(body: str) -> Message:
    """What a template made plain text of."""
    return Message(Record(body="{}", members={}), body, is_json=False)


class Seen(ExecutionTelemetry):
    """The log shows all calls."""

    def __init__(self, shows_calls: bool = True) -> None:
        super().__init__(PipeTelemetry(PIPE.arn, PrometheusMetrics()), [])
        self.shows_calls = shows_calls
        self.requests: list[Mapping[str, Any]] = []
        self.responses: list[Mapping[str, Any]] = []

    def request(self, parameters: Mapping[str, Any]) -> None:
        self.requests.append(parameters)

    def response(self, answer: Mapping[str, Any]) -> None:
        self.responses.append(answer)


class Unseen(Seen):
    """The log shows no calls."""

    def __init__(self) -> None:
        super().__init__(shows_calls=False)
