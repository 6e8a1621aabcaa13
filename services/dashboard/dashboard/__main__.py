"""`python -m dashboard`: puts the dashboard together and serves it until a signal ends it."""

from __future__ import annotations

import os
import socket
import sys
import time

from botocore.exceptions import BotoCoreError

from dashboard.clients import Clients
from dashboard.controls.actions import Actions, PipeControl, ProducerControl
from dashboard.controls.events import Sending
from dashboard.model.pipeline import Pipeline
from dashboard.settings import DashboardSettingsError, Settings
from dashboard.sources.cloudwatch import CloudWatchSource
from dashboard.sources.function_log import FunctionLogSource
from dashboard.sources.hub import Hub, Watcher
from dashboard.sources.pipe import PipeSource
from dashboard.sources.producer import ProducerSource
from dashboard.sources.queues import QueueSource
from dashboard.sources.stream import LOOK_BACK_SECONDS, StreamSource
from dashboard.sources.table import TableSource
from inventory_aws.errors import SettingsError
from inventory_aws.names import Names
from operations.access import Access
from operations.redrive.service import Redrive
from operations.verify.explain import RecordStatus


def main() -> int:
    try:
        settings = Settings.from_env(os.environ)
        access = Access.from_env(os.environ)
        _check_port(settings)
        clients = Clients.from_session(access.clients.session)
    except (DashboardSettingsError, SettingsError, BotoCoreError) as error:
        print(f"dashboard: {error}", file=sys.stderr)
        return 2
    hub = Hub(Pipeline(access.policy))
    watchers = _watchers(hub, clients, access.names, settings)
    for watcher in watchers:
        watcher.start()
    from dashboard.web.app import serve  # takes a second to load: not for a wrong variable

    serve(hub, _actions(clients, access, settings), settings)
    for watcher in watchers:
        watcher.stop()
    return 0


def _watchers(hub: Hub, clients: Clients, names: Names, settings: Settings) -> list[Watcher]:
    now = time.time()
    log = FunctionLogSource(hub, clients.logs, names.function, now - LOOK_BACK_SECONDS)
    table = TableSource(hub, clients.dynamodb, clients.dynamodbstreams, names.table)
    stream = StreamSource(hub, clients.kinesis, names.stream, now)
    pipe = PipeSource(hub, clients.pipes, names.pipe, settings.pipes_metrics_url)
    rejected = QueueSource(
        hub, clients.sqs, names.rejected_queue, "rejected", RecordStatus.REJECTED
    )
    letters = QueueSource(
        hub, clients.sqs, names.dead_letter_queue, "dead_letters", RecordStatus.DEAD_LETTERED
    )
    watchers = [
        Watcher(hub, "table", 1.0, table.ask),
        Watcher(hub, "stream", 1.0, stream.ask),
        Watcher(hub, "function", 1.0, log.ask),
        Watcher(hub, "pipe", 1.0, pipe.ask),
        Watcher(hub, "rejected", 3.0, rejected.ask),
        Watcher(hub, "dead_letters", 3.0, letters.ask),
    ]
    if not settings.pipes_metrics_url:
        metrics = CloudWatchSource(hub, clients.cloudwatch, names.pipe, names.function)
        watchers.append(Watcher(hub, "cloudwatch", 60.0, metrics.ask))
    if settings.producer_control_url:
        producer = ProducerSource(hub, ProducerControl(settings.producer_control_url))
        watchers.append(Watcher(hub, "producer", 2.0, producer.ask))
    return watchers


def _actions(clients: Clients, access: Access, settings: Settings) -> Actions:
    redrive = Redrive(access)
    if not settings.controls:
        return Actions(redrive)
    url = settings.producer_control_url
    return Actions(
        redrive,
        may_redrive=True,
        sending=Sending(clients.kinesis, access.names.stream),
        producer=ProducerControl(url) if url else None,
        pipe=PipeControl(clients.pipes, access.names.pipe, settings.pipes_crash_url),
    )


def _check_port(settings: Settings) -> None:
    """Raises DashboardSettingsError while there is one line to say it in."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise DashboardSettingsError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            "choose another DASHBOARD_PORT"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
