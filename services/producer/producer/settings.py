"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from producer.generator import Spec

DEFAULT_STREAM = "realtimeInventoryProcessing"
EACH_SHOWN_UP_TO_RATE = 20.0


@dataclass(frozen=True)
class Settings:
    """All options, as the command line and the environment gave them. `rate` is in events per
    second; None is the original's pace, or with `batch` no pacing at all."""

    stream: str = DEFAULT_STREAM
    spec: Spec = field(default_factory=Spec)
    from_file: str | None = None
    send_broken: bool = False
    rate: float | None = None
    count: int | None = None
    duration: float | None = None
    batch: bool = False
    retry_for: float = 60.0
    output: Literal["auto", "text", "jsonl"] = "auto"
    heartbeat: Path | None = None
    control: tuple[str, int] | None = None
    stay: bool = False

    @property
    def each_event_shown(self) -> bool:
        """Whether events come slowly enough for a person to follow them one by one."""
        return not self.batch if self.rate is None else self.rate <= EACH_SHOWN_UP_TO_RATE
