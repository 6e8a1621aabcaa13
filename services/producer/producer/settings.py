"""Settings: the options of `produce`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from producer.generator import Spec

EACH_SHOWN_UP_TO_RATE = 20.0


@dataclass(frozen=True)
class Settings:
    stream: str = "realtimeInventoryProcessing"
    spec: Spec = field(default_factory=Spec)
    from_file: BinaryIO | None = None
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
