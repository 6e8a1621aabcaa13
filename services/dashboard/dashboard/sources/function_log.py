"""The function's log: a line for each batch, and for each record that it rejected or failed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dashboard.sources.hub import Hub
from operations.function_log import LATE_LINES_MILLISECONDS

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

ONLY_IN_OURS = '"function_request_id"'


class FunctionLogSource:
    """One round a call. Instances of the function log side by side: a line may come after one that
    is younger, so each round looks back a little."""

    def __init__(self, hub: Hub, logs: CloudWatchLogsClient, function: str, since: float) -> None:
        self._hub = hub
        self._logs = logs
        self._group = f"/aws/lambda/{function}"
        self._start = int(since * 1000)
        self._seen: dict[str, int] = {}

    def ask(self) -> None:
        lines = list(self._new_lines())
        newest = max(self._seen.values(), default=self._start)
        self._start = max(self._start, newest - LATE_LINES_MILLISECONDS)
        self._seen = {line: at for line, at in self._seen.items() if at >= self._start}
        with self._hub.pipeline() as pipeline:
            for line in lines:
                if "record_id" in line:
                    pipeline.reported(line)
            for line in lines:
                if line.get("message") == "batch":
                    pipeline.batch(line)
            pipeline.tick(time.time())

    def _new_lines(self) -> Iterator[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=self._start, filterPattern=ONLY_IN_OURS
        )
        for page in pages:
            for event in page["events"]:
                message = event["message"]
                # The line itself names its invocation; event ids, not every emulator gives.
                if message not in self._seen:
                    self._seen[message] = event["timestamp"]
                    if (line := _line(message)) is not None:
                        yield line


def _line(message: str) -> dict[str, Any] | None:
    try:
        line = json.loads(message)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
