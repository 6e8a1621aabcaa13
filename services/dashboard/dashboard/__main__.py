"""Serve the live page until a signal ends it: `python -m dashboard`."""

from __future__ import annotations

import os
import socket
import sys
import time
from functools import partial

from botocore.exceptions import BotoCoreError

from dashboard.controls.actions import Actions, PipeControl, ProducerControl
from dashboard.controls.events import Sending
from dashboard.model.pipeline import Pipeline
from dashboard.settings import Settings
from dashboard.sources.figures import read_cloudwatch, read_pipe, read_producer, read_queue
from dashboard.sources.function_log import read_function_log
from dashboard.sources.hub import Hub, watch
from dashboard.sources.stream import LOOK_BACK_SECONDS, StreamSource
from dashboard.sources.table import TableSource
from inventory_aws.clients import ONE_TRY, Clients
from inventory_aws.errors import SettingsError, explain
from operations.access import Access
from operations.function_log import FunctionLog
from operations.redrive.service import Redrive


def main() -> int:
    try:
        settings = Settings.from_env(os.environ)
        access = Access.from_env(os.environ)
        _check_port(settings)
        hub = Hub(Pipeline(access.policy))
        actions = _connect(hub, access, settings)
    except (SettingsError, BotoCoreError) as error:
        print(f"dashboard: {explain(error)}", file=sys.stderr)
        return 2
    from dashboard.web.app import serve  # takes a second to load: not for a wrong variable

    serve(hub, actions, settings)
    return 0


def _connect(hub: Hub, access: Access, settings: Settings) -> Actions:
    """Start to watch the pipeline, and return what the page can do."""
    names, now = access.names, time.time()
    # The next round is the retry: until then, the page shows what does not answer.
    clients = Clients(access.clients.session, ONE_TRY)
    url = settings.producer_control_url
    producer = ProducerControl(url) if url else None
    table = TableSource(hub, clients.dynamodb, clients.table_stream_reader, names.table)
    stream = StreamSource(hub, clients.kinesis, names.stream, now)
    log = FunctionLog(clients.logs, names.function, now - LOOK_BACK_SECONDS)
    watch(hub, "table", 1, table.read)
    watch(hub, "stream", 1, stream.read)
    watch(hub, "function", 1, partial(read_function_log, hub, log))
    watch(
        hub,
        "pipe",
        1,
        partial(read_pipe, hub, clients.pipes, names.pipe, settings.pipes_metrics_url),
    )
    queues = {"rejected": names.rejected_queue, "dead_letters": names.dead_letter_queue}
    for node, queue in queues.items():
        watch(hub, node, 3, partial(read_queue, hub, clients.sqs, queue, node))
    if not settings.pipes_metrics_url:
        watch(hub, "cloudwatch", 60, partial(read_cloudwatch, hub, clients.cloudwatch, names))
    if producer:
        watch(hub, "producer", 2, partial(read_producer, hub, producer))
    redrive = Redrive(access)
    if not settings.controls:
        return Actions(redrive)
    return Actions(
        redrive,
        may_redrive=True,
        sending=Sending(access.clients.kinesis, names.stream),
        producer=producer,
        pipe=PipeControl(clients.pipes, names.pipe, settings.pipes_crash_url),
    )


def _check_port(settings: Settings) -> None:
    """Raises SettingsError."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}). "
            "Set DASHBOARD_PORT to another port."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
