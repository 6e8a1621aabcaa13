"""Makes the messages for an enrichment or a target out of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eventbridge_pipes.record import Record
from eventbridge_pipes.targets.target import Message
from eventbridge_pipes.template import Context, Template


@dataclass(frozen=True)
class Transformation:
    """A template that is applied record by record; without one, records go on as they are."""

    template: Template
    context: Context

    def apply(self, records: Sequence[Record], now: float) -> list[Message]:
        """`now`, in epoch seconds, is when the pipe took the records in."""
        context = replace(self.context, ingested=now)
        return [Message(record, *self.template.render(record, context)) for record in records]


def unchanged(records: Sequence[Record]) -> list[Message]:
    return [Message(record, record.body) for record in records]
