"""An event bus as target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import batch, target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_BYTES = 1024 * 1024
"""The limit of an entry, and of all entries of a call together.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""

_TIME_BYTES = 14


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message becomes the detail of an event. The parameter EndpointId is not used."""
    parameters = KIND.parameters_of(pipe)
    source = parameters.get("Source", f"Pipe {pipe.name}")
    default_type = f"Event from aws:{Arn.parse(pipe.source).service}"
    detail_type = parameters.get("DetailType", default_type)
    resources: Sequence[str] = parameters.get("Resources", ())
    time: str | None = parameters.get("Time")

    def entry(position: int, message: target.Message) -> batch.Entry:
        # PutEvents rejects a detail that is no JSON object. Some emulators accept it; it is
        # rejected here, so that no pipe relies on them.
        if not (message.is_json and message.body.lstrip().startswith("{")):
            raise batch.UnsendableError("MalformedDetail: Detail is malformed.")
        request: dict[str, Any] = {
            "EventBusName": pipe.target,
            "Source": resolve(source, message.record),
            "DetailType": resolve(detail_type, message.record),
            "Detail": message.body,
        }
        if resources:
            request["Resources"] = [resolve(each, message.record) for each in resources]
        if time:
            request["Time"] = _rfc3339(resolve(time, message.record))
        return batch.Entry(position, request, _size(request))

    def call(entries: batch.Entries, execution: ExecutionTelemetry) -> batch.EntryErrors:
        request = {"Entries": [entry.request for entry in entries]}
        answer = target.call_service("events", clients.events.put_events, request, execution)
        return batch.failed_by_place("events", answer, "Entries", len(entries))

    return batch.BatchTarget(KIND, _BYTES, _BYTES, entry, call).send


def _rfc3339(text: str) -> str:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise batch.UnsendableError("the value of Time is no RFC 3339 time")
    return text


def _size(request: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
    counted = [request["Source"], request["DetailType"], request["Detail"]]
    counted += request.get("Resources", [])
    return sum(len(text.encode()) for text in counted) + (_TIME_BYTES if "Time" in request else 0)


def describe(clients: Clients, arn: Arn) -> None:
    clients.events.describe_event_bus(Name=arn.resource.removeprefix("event-bus/"))


def violations(arn: Arn, parameters: target.Members, role: Arn) -> target.Problems:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html"""
    if role.account and arn.account != role.account:
        message = f"The event bus {arn.text} must be in the account of the pipe, which is that of"
        yield "", f"{message} its role: {role.account}"
    if "EndpointId" in parameters:
        message = target.not_supported("EndpointId, a global endpoint,", "the event bus alone")
        yield "EndpointId", message


KIND = target.TargetKind(
    service="events",
    resource="event-bus/[^:]*",  # the name of a bus may have slashes
    label="an EventBridge bus",
    noun="event bus",
    parameters="EventBridgeEventBusParameters",
    connect=connect,
    describe=describe,
    batch_limit=10,
    violations=violations,
)
