"""An event bus as target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.path import resolve
from eventbridge_pipes.targets import batch, refusals
from eventbridge_pipes.targets.batch import BatchApi, Entry, UnsendableError
from eventbridge_pipes.targets.calling import make
from eventbridge_pipes.targets.refusals import Refusal
from eventbridge_pipes.targets.target import Answer, Calls, Message

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_BYTES = 1024 * 1024
"""What an entry may have, and all entries of a call together.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""

_TIME_BYTES = 14


class BusTarget:
    """Each message becomes the detail of an event."""

    def __init__(
        self,
        client: EventBridgeClient,
        bus: Arn,
        pipe_name: str,
        source: Arn,
        parameters: Mapping[str, Any],
    ) -> None:
        """`parameters` are PipeTargetEventBridgeEventBusParameters; EndpointId is not used."""
        self._client = client
        self._bus = bus
        self._source = parameters.get("Source", f"Pipe {pipe_name}")
        self._detail_type = parameters.get("DetailType", f"Event from aws:{source.service}")
        self._resources: Sequence[str] = parameters.get("Resources", ())
        self._time: str | None = parameters.get("Time")
        self._api = BatchApi("events", _BYTES, _BYTES, self._entry)

    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        return batch.send(messages, self._api, lambda entries: self._call(entries, calls))

    def _entry(self, position: int, message: Message) -> Entry:
        """PutEvents refuses a detail that is no JSON object. An emulator may take it; that no
        pipe relies on it, it is refused here.
        """
        if not (message.is_json and message.body.lstrip().startswith("{")):
            raise UnsendableError("MalformedDetail: Detail is malformed.")
        request: dict[str, Any] = {
            "EventBusName": self._bus.text,
            "Source": resolve(self._source, message.record),
            "DetailType": resolve(self._detail_type, message.record),
            "Detail": message.body,
        }
        if self._resources:
            request["Resources"] = [resolve(each, message.record) for each in self._resources]
        if self._time:
            request["Time"] = _rfc3339(resolve(self._time, message.record))
        return Entry(position, request, _size(request))

    def _call(self, entries: Sequence[Entry], calls: Calls) -> Mapping[int, Refusal]:
        request = {"Entries": [entry.request for entry in entries]}
        answer = make(self._client.put_events, request, calls)
        return refusals.of_results("events", answer, answer["Entries"])


def _rfc3339(text: str) -> str:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise UnsendableError("the value of Time is no RFC 3339 time")
    return text


def _size(request: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
    counted = [request["Source"], request["DetailType"], request["Detail"]]
    counted += request.get("Resources", [])
    return sum(len(text.encode()) for text in counted) + (_TIME_BYTES if "Time" in request else 0)
