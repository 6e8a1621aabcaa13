"""Writes the execution log of a pipe to its log group, behind the back of the delivery."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.telemetry.log_batches import EventBuffer, LogEvent

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

LINGER_SECONDS = 0.25
"""How long a record may wait for others, to go with them in one call."""

_NOT_FOUND = "ResourceNotFoundException"
_EXISTS = "ResourceAlreadyExistsException"
_REFUSED = "InvalidParameterException"


class LogGroup:
    """One stream of the log group, made when it is missing. A thread writes; `put` never waits.

    While it cannot be written to, the records wait, and it is tried again and again. How AWS
    names the stream is not documented; here it has the name of the pipe.
    """

    def __init__(
        self,
        client: CloudWatchLogsClient,
        log_group_arn: str,
        stream: str,
        log: PipeLog,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._client = client
        self._group = group_name(log_group_arn)
        self._stream = stream
        self._log = log
        self._linger = linger
        self._buffer = EventBuffer()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"log {stream}", daemon=True)
        self._thread.start()

    def put(self, timestamp: int, message: str) -> None:
        """Take a record in: its time in milliseconds since the epoch, its text in ASCII."""
        if not self._buffer.put(LogEvent(timestamp, message)):
            self._log.warning("execution log: dropping records that cannot be written in time")

    def close(self) -> None:
        """Have the rest written, tried once, and the thread ended. Returns at once."""
        self._buffer.close()

    def join(self, timeout: float) -> None:
        """Wait for the end, `timeout` seconds at most."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while batch := self._buffer.batch(self._linger):
                if not self._carry(batch):
                    self._buffer.discard(batch)
                self._tell_dropped()
        except Exception:
            self._log.exception("execution log: failed and stopped")
            self._buffer.close()
        self._tell_dropped()

    def _carry(self, batch: list[LogEvent]) -> bool:
        """Write `batch`, however often it takes; false when it cannot be."""
        while True:
            try:
                self._write(batch)
            except errors.CallError as error:
                refused = errors.code_of(error) == _REFUSED
                if not self._failures or refused:
                    self._log.warning("cannot write to %s: %s", self._group, errors.describe(error))
                self._failures += 1
                if refused or self._buffer.rest(growing_pause(self._failures)):
                    return False
            else:
                self._buffer.written(batch)
                if self._failures:
                    self._log.info("writing to %s again", self._group)
                self._failures = 0
                return True

    def _write(self, batch: list[LogEvent]) -> None:
        try:
            self._put_events(batch)
        except errors.CallError as error:
            if errors.code_of(error) != _NOT_FOUND:
                raise
            self._make_stream()
            self._put_events(batch)

    def _put_events(self, batch: list[LogEvent]) -> None:
        ordered = sorted(batch, key=lambda event: event.timestamp)
        self._client.put_log_events(
            logGroupName=self._group,
            logStreamName=self._stream,
            logEvents=[{"timestamp": e.timestamp, "message": e.message} for e in ordered],
        )

    def _make_stream(self) -> None:
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except errors.CallError as error:
            if errors.code_of(error) != _EXISTS:
                raise

    def _tell_dropped(self) -> None:
        if dropped := self._buffer.dropped():
            self._log.warning("execution log: records dropped: %d", dropped)


def group_name(log_group_arn: str) -> str:
    """`arn:aws:logs:…:log-group:/pipes/orders:*` → `/pipes/orders`; the end may be missing."""
    return Arn.parse(log_group_arn).resource.removeprefix("log-group:").removesuffix(":*")
