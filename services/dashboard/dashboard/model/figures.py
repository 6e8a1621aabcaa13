"""What the services say of themselves, as it was last heard. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PipeFigures:
    """Totals of the records of the pipe since its service began, and how far it is behind (s)."""

    read: float
    delivered: float
    failed: float
    dead_lettered: float
    in_flight: float
    lag: float


@dataclass
class Figures:
    """None: unknown. `trouble` has, by source, why its last call failed, and `answered_at` when it
    was last answered, be it by an error. `unread_seconds`: of the stream, how old is what was read
    last, if there is more to read."""

    shards: int | None = None
    unread_seconds: float = 0.0
    pipe_state: str | None = None
    pipe_reason: str = ""
    pipe: PipeFigures | None = None
    rejected: int | None = None
    dead_letters: int | None = None
    batch_ms: float | None = None
    batch_size: float | None = None
    producer_rate: float | None = None
    producer_paused: bool | None = None
    producer_runs: bool | None = None
    trouble: dict[str, str] = field(default_factory=dict)
    answered_at: dict[str, float] = field(default_factory=dict)

    def producer_reports(self, status: Mapping[str, Any] | None) -> None:
        """What its control endpoint answers. None: nothing listens there."""
        self.producer_runs = status is not None
        status = status or {}
        rate = status.get("rate")
        self.producer_rate = None if rate is None else float(rate)
        self.producer_paused = bool(status.get("paused"))
