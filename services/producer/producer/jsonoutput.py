"""The output for programs: one JSON object per line, told apart by `type`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from inventory.json_text import strict_json
from inventory_aws.sender import Accepted, Refused
from inventory_aws.shown import shown_bytes
from producer.tally import Summary


class JsonOutput:
    """Writes through `write`, a line at a time. All text is ASCII, so nothing in an event can act
    on a terminal. Where each event is shown, there are no progress lines."""

    def __init__(self, write: Callable[[str], object], *, stream: str, each_event: bool) -> None:
        self._write = write
        self._stream = stream
        self.progress_every = float("inf") if each_event else 1.0

    def __enter__(self) -> JsonOutput:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def event(self, accepted: Accepted) -> None:
        self._line(
            "event",
            event=_readable(accepted.event.payload),
            invalid=accepted.event.invalid,
            partition_key=accepted.event.partition_key,
            shard_id=accepted.shard_id,
            sequence_number=accepted.sequence_number,
        )

    def progress(self, summary: Summary) -> None:
        self._line("progress", **_counts(summary))

    def refused(self, refused: Refused) -> None:
        self._line(
            "refused",
            records=refused.records,
            reason=refused.reason,
            again_in_seconds=round(refused.pause, 3),
        )

    def stopping(self, pending: int) -> None:
        self._line("stopping", pending=pending)

    def summary(self, summary: Summary, *, unconfirmed: int) -> None:
        self._line(
            "summary",
            stream=self._stream,
            **_counts(summary),
            by_type=summary.by_type,
            invalid=summary.invalid,
            unconfirmed=unconfirmed,
        )

    def _line(self, kind: str, **fields: object) -> None:
        self._write(json.dumps({"type": kind, **fields}))


def _readable(payload: bytes) -> Any:
    """The event as JSON, or as text when it is not JSON."""
    try:
        return strict_json(payload)
    except ValueError:
        return shown_bytes(payload)


def _counts(summary: Summary) -> dict[str, float]:
    return {
        "sent": summary.sent,
        "refused": summary.refused,
        "seconds": round(summary.seconds, 3),
        "rate": round(summary.rate, 1),
    }
