"""The latest figures of the services. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figures:
    """None: unknown. `trouble` has the error of each source whose last call failed. `answered_at`
    is when each was last answered, even by an error."""

    shards: int | None = None
    unread_seconds: float = 0.0  # how far the page's reader is behind the stream
    pipe_state: str | None = None
    pipe_reason: str = ""
    pipe_lag: float | None = None
    pipe_failed_total: float | None = None
    rejected: int | None = None
    dead_letters: int | None = None
    batch_ms: float | None = None
    batch_size: int | None = None
    producer_rate: float | None = None
    producer_paused: bool | None = None
    producer_runs: bool | None = None
    errors: Mapping[str, int] = field(default_factory=dict)  # in CloudWatch's last five minutes
    trouble: dict[str, str] = field(default_factory=dict)
    answered_at: dict[str, float] = field(default_factory=dict)

    def producer_reports(self, status: Mapping[str, Any] | None) -> None:
        """Take the status from the producer's control endpoint. None: it does not run."""
        self.producer_runs = status is not None
        status = status or {}
        rate = status.get("rate")
        self.producer_rate = None if rate is None else float(rate)
        self.producer_paused = bool(status.get("paused"))
