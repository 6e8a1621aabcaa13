"""The execution log of a pipe: which steps go to its log group, and what they show."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from eventbridge_pipes.outcome import CallError
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.telemetry.log_records import (
    WITH_CALL,
    WITH_PAYLOAD,
    Level,
    is_told,
    json_text,
    log_record,
)


class Destination(Protocol):
    """See `watching.log_group.LogGroup`."""

    def put(self, timestamp: int, message: str) -> None: ...


class ExecutionLog:
    """`with_data` shows the events, the requests and the responses (IncludeExecutionData ALL)."""

    def __init__(
        self,
        pipe_arn: str,
        level: Level,
        with_data: bool,
        destination: Destination,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._pipe_arn = pipe_arn
        self._level = level
        self._destination = destination
        self._now = now
        self.with_data = with_data

    def execution(self, records: Sequence[Record]) -> LoggedExecution:
        execution = LoggedExecution(self)
        execution.step("ExecutionStarted", lambda: json_array(record.body for record in records))
        return execution

    def tells(self, message_type: str) -> bool:
        return is_told(message_type, self._level)

    def write(
        self,
        execution_id: str,
        message_type: str,
        data: Mapping[str, str],
        error: CallError | None,
    ) -> None:
        timestamp = int(self._now() * 1000)
        record = log_record(
            message_type,
            pipe_arn=self._pipe_arn,
            execution_id=execution_id,
            timestamp=timestamp,
            data=data,
            error=error,
        )
        self._destination.put(timestamp, record)


class LoggedExecution:
    """One attempt. Of a stage that makes several calls the last one is shown."""

    def __init__(self, log: ExecutionLog) -> None:
        self._log = log
        self._id = str(uuid.uuid4())
        self._call: dict[str, Mapping[str, Any]] = {}
        self.wanted = log.with_data

    def request(self, parameters: Mapping[str, Any]) -> None:
        self._call = {"awsRequest": parameters}

    def response(self, answer: Mapping[str, Any]) -> None:
        self._call["awsResponse"] = answer

    def step(
        self,
        message_type: str,
        payload: Callable[[], str] | None = None,
        error: CallError | None = None,
    ) -> None:
        if self._log.tells(message_type):
            data = self._data(message_type, payload) if self.wanted else {}
            self._log.write(self._id, message_type, data, error)
        if message_type in WITH_CALL:
            self._call = {}

    def _data(self, message_type: str, payload: Callable[[], str] | None) -> Mapping[str, str]:
        if message_type in WITH_CALL:
            return {name: json_text(members) for name, members in self._call.items()}
        return {"payload": payload()} if payload and message_type in WITH_PAYLOAD else {}
