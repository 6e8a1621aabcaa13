"""The execution log of a pipe: which steps it has, what their records look like, how they are sent.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import json
import math
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from json.encoder import encode_basestring_ascii as quoted
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import FailedCall
from eventbridge_pipes.pipe import Pipe

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

EVENT_OVERHEAD = 26
"""What CloudWatch Logs adds to the size of each event."""

LIMIT_BYTES = 256 * 1024 - EVENT_OVERHEAD
"""AWS keeps a record below 256 KB; so it fits into an event of that size with its overhead too."""

TEXT_LIMIT = 64 * 1024
"""Characters of an error's text: with both at their limit there is still room for the record."""

MAX_EVENTS = 10_000
MAX_BYTES = 1_048_576
MAX_SPAN = 24 * 60 * 60 * 1000
"""The limits of PutLogEvents; the span is in milliseconds."""

BUFFER_BYTES = 4 * MAX_BYTES
"""How much may wait. More is dropped, because no execution waits for the log."""

LINGER_SECONDS = 0.25
"""How long a record may wait for others, to go with them in one call."""


LEVELS = ("OFF", "ERROR", "INFO", "TRACE")
"""A pipe's log has the steps of its own level and of the levels before it."""

_AT_ERROR = ("Failed", "Throttled", "Timeout")
_AT_INFO = (
    *("ExecutionStarted", "ExecutionSucceeded", "StageEntered", "StageSucceeded"),
    "EnrichmentInvocationSkipped",
)
"""How the message types end that have these levels."""


def level_of(message_type: str) -> str:
    """Return the lowest level at which a log has the step."""
    if message_type.endswith(_AT_ERROR):
        return "ERROR"
    return "INFO" if message_type.endswith(_AT_INFO) else "TRACE"


def size_of(event: InputLogEventTypeDef) -> int:
    """Return the bytes that CloudWatch Logs counts; the message is in ASCII."""
    return len(event["message"]) + EVENT_OVERHEAD


@dataclass(eq=False)
class ExecutionLog:
    """Writes the steps of a pipe's executions to its log group, as the pipe's definition says.

    A thread sends the records, and `write` never waits. While the log group cannot be written to,
    the records wait and the thread tries again. AWS does not document the name of its log streams;
    here it is the name of the pipe, and the stream is created when it is missing.
    """

    client: CloudWatchLogsClient
    pipe: Pipe
    linger: float = LINGER_SECONDS
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        client, name = self.client, self.pipe.name
        configuration = self.pipe.log_configuration or {}
        self.with_data = "ALL" in configuration.get("IncludeExecutionData", ())
        self._levels = LEVELS[: LEVELS.index(configuration["Level"]) + 1]
        arn = Arn.parse(configuration["CloudwatchLogsLogDestination"]["LogGroupArn"])
        self._group = group = arn.resource.split(":")[1]  # :* may follow it
        self._create = partial(client.create_log_stream, logGroupName=group, logStreamName=name)
        self._put = partial(client.put_log_events, logGroupName=group, logStreamName=name)
        self._log = PipeLog(self.pipe.arn)
        self._waiting: deque[InputLogEventTypeDef] = deque()
        self._size = 0
        self._dropped = 0
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self.thread = threading.Thread(target=self._run, name=f"log {name}", daemon=True)
        self.thread.start()

    def write(
        self,
        execution_id: str,
        message_type: str,
        payload: Callable[[], str] | None = None,
        call: Mapping[str, Any] | None = None,
        error: FailedCall | None = None,
    ) -> None:
        """Write a step, if the log has its level. `call` is a request and its response."""
        level = level_of(message_type)
        if level not in self._levels:
            return
        data: dict[str, str] = {}
        if self.with_data and payload:
            data = {"payload": payload()}
        elif self.with_data and call:
            data = {name: json_text(members) for name, members in call.items()}
        timestamp = int(self.now() * 1000)
        fields = {
            "resourceArn": self.pipe.arn,
            "timestamp": timestamp,
            "executionId": execution_id,
            "messageType": message_type,
            "logLevel": level,
        }
        self._append({"timestamp": timestamp, "message": log_record(fields, data, error)})

    def close(self) -> None:
        """Try once to send what waits, and end the thread. Returns at once."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()

    def _append(self, event: InputLogEventTypeDef) -> None:
        with self._changed:
            size = self._size + size_of(event)
            if not self._closing.is_set() and size <= BUFFER_BYTES:
                self._waiting.append(event)
                self._size = size
                if len(self._waiting) == 1 or self._size >= MAX_BYTES:
                    self._changed.notify_all()
                return
            self._dropped += 1
            if self._dropped == 1:
                self._log.warning("execution log: dropping records that cannot be written in time")

    def _run(self) -> None:
        try:
            while batch := self._next_batch():
                sent = self._send_with_retries(batch)
                with self._changed:
                    for event in batch:
                        self._waiting.popleft()
                        self._size -= size_of(event)
                    self._dropped += 0 if sent else len(batch)
                    if self._dropped and not self._waiting:
                        self._log.warning("execution log: records dropped: %d", self._dropped)
                        self._dropped = 0
        except Exception:
            self._log.exception("execution log: failed and stopped")
            self.close()

    def _next_batch(self) -> list[InputLogEventTypeDef]:
        """Wait for records. Return none once the log is closed and nothing waits."""
        with self._changed:
            closing = self._closing.is_set
            self._changed.wait_for(lambda: self._waiting or closing())
            self._changed.wait_for(lambda: self._size >= MAX_BYTES or closing(), self.linger)
            return list(islice(self._waiting, batch_length(self._waiting)))

    def _send_with_retries(self, batch: list[InputLogEventTypeDef]) -> bool:
        """Return false if CloudWatch Logs rejects `batch`, or the log is closed meanwhile."""
        failures = 0
        while True:
            try:
                self._send(batch)
                if failures:
                    self._log.info("writing to %s again", self._group)
                return True
            except errors.CallError as error:
                rejected = errors.code_of(error) == "InvalidParameterException"
                if not failures or rejected:
                    self._log.warning("cannot write to %s: %s", self._group, errors.summary(error))
                failures += 1
                if rejected or self._closing.wait(growing_pause(failures)):
                    return False

    def _send(self, batch: list[InputLogEventTypeDef]) -> None:
        events = sorted(batch, key=itemgetter("timestamp"))
        try:
            self._put(logEvents=events)
        except errors.CallError as error:
            if errors.code_of(error) != "ResourceNotFoundException":
                raise
            self._create()
            self._put(logEvents=events)


def log_record(fields: Mapping[str, Any], data: Mapping[str, str], error: FailedCall | None) -> str:
    """Return a record as JSON in ASCII, at most LIMIT_BYTES long.

    If it is too long, the execution data in `data` lose their ends, one after the other in their
    order, as on AWS.
    """
    shown = {name: text[:LIMIT_BYTES] for name, text in data.items()}
    truncated: list[str] = []
    failed_call = error and {
        "httpStatusCode": error.status or None,
        "message": shortened(error.message, TEXT_LIMIT),
        "details": shortened(error.details, TEXT_LIMIT),
        "awsService": error.service,
        "requestId": error.request_id,
    }

    def record() -> str:
        ending = {"truncatedFields": truncated or None, "error": failed_call}
        return json.dumps({**fields, **shown, **ending}, separators=(",", ":"))

    written = record()
    for name, text in shown.items():
        if text and len(written) > LIMIT_BYTES:
            truncated.append(name)
            shown[name] = ""
            shown[name] = shortened(text, LIMIT_BYTES - len(record()))
            written = record()
    return written


def shortened(text: str, room: int) -> str:
    """Return the longest beginning of `text` that takes at most `room` bytes in a JSON string."""
    text = text[: max(room, 0)]
    fits = bisect_right(range(len(text) + 1), room, key=lambda end: len(quoted(text[:end])) - 2)
    return text[: max(fits - 1, 0)]


def json_text(members: Mapping[str, Any]) -> str:
    """Return a request or a response as JSON, whatever it holds."""

    def plain(value: Any) -> str:
        if isinstance(value, bytes | bytearray):
            return value[:LIMIT_BYTES].decode("utf-8", "replace")
        return str(value)

    return json.dumps(members, default=plain, skipkeys=True)


def batch_length(events: Collection[InputLogEventTypeDef]) -> int:
    """Return how many of the first `events` fit into one call."""
    size = 0
    oldest, newest = math.inf, -math.inf
    for count, event in enumerate(events):
        oldest, newest = min(oldest, event["timestamp"]), max(newest, event["timestamp"])
        size += size_of(event)
        if count == MAX_EVENTS or size > MAX_BYTES or newest - oldest >= MAX_SPAN:
            return count
    return len(events)
