"""The names of a pipeline's resources: each stage has its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from inventory_aws.errors import SettingsError

DEFAULT_STAGE = "default"


@dataclass(frozen=True)
class Names:
    """The names that the template derives from the stage, as far as programs use them."""

    stage: str = DEFAULT_STAGE
    stack: str = "inventory"
    stream: str = "realtimeInventoryProcessing"
    table: str = "product_inventory"
    removals_table: str = "inventory_removals"
    function: str = "inventory-processor"
    pipe: str = "inventory-pipe"
    dead_letter_queue: str = "inventory-pipe-dlq"
    rejected_queue: str = "inventory-rejected"
    topic: str = "inventory-failures"
    alerts_function: str = "inventory-alerts"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return those of STAGE; STREAM_NAME and TABLE_NAME can differ. Raises SettingsError."""
        stage = environ.get("STAGE") or DEFAULT_STAGE
        if not re.fullmatch("[a-z][a-z0-9-]{0,19}", stage, re.ASCII):
            raise SettingsError(
                f"STAGE must be 1-20 of a-z, 0-9 and -, beginning with a letter (it is {stage!r})"
            )
        names = {f.name: f"{prefix(stage)}{f.default}" for f in fields(cls)} | {"stage": stage}
        for field, variable in (("stream", "STREAM_NAME"), ("table", "TABLE_NAME")):
            names[field] = environ.get(variable) or names[field]
        return cls(**names)


def prefix(stage: str) -> str:
    """Return what the names of a stage begin with."""
    return "" if stage == DEFAULT_STAGE else f"{stage}-"
