"""The producer, where it has a control endpoint: what it is set to."""

from __future__ import annotations

from dashboard.controls.actions import ProducerControl
from dashboard.controls.asking import RefusedConnectionError
from dashboard.sources.hub import Hub


class ProducerSource:
    def __init__(self, hub: Hub, control: ProducerControl) -> None:
        self._hub = hub
        self._control = control

    def ask(self) -> None:
        try:
            status = self._control.status()
        except RefusedConnectionError:
            status = None
        with self._hub.pipeline() as pipeline:
            pipeline.figures.producer_reports(status)
