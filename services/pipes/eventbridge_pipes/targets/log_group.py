"""A CloudWatch log group as target."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.path import resolve
from eventbridge_pipes.targets import batch
from eventbridge_pipes.targets.batch import BatchApi, Entry, UnsendableError
from eventbridge_pipes.targets.calling import make
from eventbridge_pipes.targets.refusals import Refusal
from eventbridge_pipes.targets.target import Answer, Calls, Message

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_BYTES = 1024 * 1024
_EVENT_OVERHEAD = 26
_DAY = 24 * 60 * 60 * 1000
"""The limits of a call; within it, events are at most a day apart and in the order of their time.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""


class LogGroupTarget:
    """Each message becomes a log event. A log stream that is not there is made."""

    def __init__(
        self,
        client: CloudWatchLogsClient,
        group: Arn,
        pipe_name: str,
        parameters: Mapping[str, Any],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`parameters` are PipeTargetCloudWatchLogsParameters.

        LogStreamName is one of the few that may be no path. AWS does not say what a stream is
        called when it is left out; here it has the pipe's name.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
        """
        self._client = client
        self._place = {
            "logGroupName": group.resource.removeprefix("log-group:").removesuffix(":*"),
            "logStreamName": parameters.get("LogStreamName", pipe_name),
        }
        self._timestamp: str | None = parameters.get("Timestamp")
        self._now = now
        self._api = BatchApi(
            "logs",
            _BYTES,
            _BYTES,
            self._entry,
            order=_timestamp_of,
            joins=lambda first, entry: _timestamp_of(entry) - _timestamp_of(first) <= _DAY,
        )

    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        return batch.send(messages, self._api, lambda entries: self._call(entries, calls))

    def _entry(self, position: int, message: Message) -> Entry:
        if not message.body:
            raise UnsendableError("a log event has at least one character")
        event = {"timestamp": self._time_of(message), "message": message.body}
        return Entry(position, event, len(message.body.encode()) + _EVENT_OVERHEAD)

    def _time_of(self, message: Message) -> int:
        """Milliseconds since the epoch."""
        if self._timestamp is None:
            return int(self._now() * 1000)
        text = resolve(self._timestamp, message.record)
        if not (text.isascii() and text.isdecimal()):
            raise UnsendableError("the value of Timestamp is no whole number of milliseconds")
        return int(text)

    def _call(self, entries: Sequence[Entry], calls: Calls) -> Mapping[int, Refusal]:
        request = {**self._place, "logEvents": [entry.request for entry in entries]}
        try:
            answer = make(self._client.put_log_events, request, calls)
        except errors.CallError as error:
            if errors.code_of(error) != "ResourceNotFoundException":
                raise
            self._make_stream()
            answer = make(self._client.put_log_events, request, calls)
        return _rejected(len(entries), answer.get("rejectedLogEventsInfo", {}))

    def _make_stream(self) -> None:
        """Raises ResourceNotFoundException when it is the group that is not there."""
        try:
            self._client.create_log_stream(**self._place)
        except errors.CallError as error:
            if errors.code_of(error) != "ResourceAlreadyExistsException":
                raise


def _rejected(count: int, info: Mapping[str, int]) -> dict[int, Refusal]:
    """CloudWatch tells by their place in the call where the events it takes begin and end."""
    first = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    end = info.get("tooNewLogEventStartIndex", count)
    old, new = Refusal("the log event is too old"), Refusal("the log event is too new")
    return dict.fromkeys(range(first), old) | dict.fromkeys(range(end, count), new)


def _timestamp_of(entry: Entry) -> int:
    timestamp: int = entry.request["timestamp"]
    return timestamp
