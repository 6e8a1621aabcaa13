"""Makes the messages for an enrichment or a target out of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eventbridge_pipes.events.event import Event
from eventbridge_pipes.events.templates import Context, Template
from eventbridge_pipes.targets.target import Message


@dataclass(frozen=True)
class Transformation:
    """A template that is applied event by event; without one, events go on as they are."""

    template: Template
    context: Context

    def apply(self, events: Sequence[Event]) -> list[Message]:
        return [Message(event, *self.template.render(event, self.context)) for event in events]


def unchanged(events: Sequence[Event]) -> list[Message]:
    return [Message(event, event.body) for event in events]
