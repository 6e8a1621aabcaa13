"""The function's log: a line for each batch, and for each record that it rejected or failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dashboard.sources.hub import Hub
from operations.function_log import FunctionLog

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

ONLY_IN_OURS = '"function_request_id"'


class FunctionLogSource:
    """One round a call."""

    def __init__(self, hub: Hub, logs: CloudWatchLogsClient, function: str, since: float) -> None:
        self._hub = hub
        self._log = FunctionLog(logs, function, since)

    def ask(self) -> None:
        lines = self._log.new_lines(ONLY_IN_OURS)
        with self._hub.pipeline() as pipeline:
            for line in lines:
                if "record_id" in line:
                    pipeline.reported(line)
            for line in lines:
                if line.get("message") == "batch":
                    pipeline.batch(line)
            pipeline.tick(time.time())
