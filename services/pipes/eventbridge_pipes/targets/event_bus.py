"""An event bus as target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target

_TIME_BYTES = 14


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message becomes the detail of an event. The parameter EndpointId is not used."""
    parameters = KIND.parameters_of(pipe)
    source = parameters.get("Source", f"Pipe {pipe.name}")
    detail_type = parameters.get("DetailType", f"Event from aws:{Arn.parse(pipe.source).service}")
    resources: Sequence[str] = parameters.get("Resources", ())
    time: str | None = parameters.get("Time")

    def entry(message: target.Message) -> target.Entry:
        # PutEvents rejects a detail that is no JSON object. Some emulators accept it; it is
        # rejected here, so that no pipe relies on them.
        if not (message.is_json and message.body.lstrip().startswith("{")):
            raise target.UnsendableError("MalformedDetail: Detail is malformed.")
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
        return target.Entry(request, _size(request))

    return target.BatchTarget(KIND, entry, clients.events.put_events, lambda: {}).send


def _rfc3339(text: str) -> str:
    with suppress(ValueError):
        if datetime.fromisoformat(text).tzinfo:
            return text
    raise target.UnsendableError("the value of Time is no RFC 3339 time")


def _size(request: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
    counted = [request["Source"], request["DetailType"], request["Detail"]]
    counted += request.get("Resources", [])
    return sum(len(text.encode()) for text in counted) + (_TIME_BYTES if "Time" in request else 0)


def describe(clients: Clients, arn: Arn) -> None:
    clients.events.describe_event_bus(Name=arn.resource.removeprefix("event-bus/"))


def violations(arn: Arn, parameters: target.Members, account: str) -> target.Problems:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html"""
    if arn.account != account:
        yield "", target.other_account(f"event bus {arn.text}", account)
    if "EndpointId" in parameters:
        message = target.not_supported("EndpointId, a global endpoint,", "the event bus alone")
        yield "EndpointId", message


KIND = target.BatchKind(
    service="events",
    resource="event-bus/[^:]*",  # the name of a bus may have slashes
    label="an EventBridge bus",
    noun="event bus",
    parameters="EventBridgeEventBusParameters",
    connect=connect,
    describe=describe,
    violations=violations,
    entries="Entries",
    failed=target.failed_by_place("Entries"),
    batch_limit=10,
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    call_bytes=1024 * 1024,
)
