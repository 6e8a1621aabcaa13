"""The function's log: a line for each batch, and for each record that it rejected or failed."""

from __future__ import annotations

import time

from dashboard.sources.hub import Hub
from operations.function_log import FunctionLog

PATTERN = '"function_request_id"'  # in each of these lines, and in none of Lambda's own


def read_function_log(hub: Hub, log: FunctionLog) -> None:
    lines = log.new_lines(PATTERN)
    with hub.pipeline() as pipeline:
        for line in lines:
            if "record_id" in line:
                pipeline.reported(line)
        for line in lines:
            if line.get("message") == "batch":
                pipeline.batch(line)
        pipeline.tick(time.time())
