"""What the services say of themselves, as it was last heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    """None: nobody has said. `trouble` has, by source, why it cannot be asked now."""

    shards: int | None = None
    pipe_state: str | None = None
    pipe_reason: str = ""
    pipe: PipeFigures | None = None
    rejected: int | None = None
    dead_letters: int | None = None
    batch_ms: float | None = None
    batch_size: float | None = None
    producer_rate: float | None = None
    producer_paused: bool | None = None
    trouble: dict[str, str] = field(default_factory=dict)
