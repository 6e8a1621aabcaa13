"""The names of the resources, as the template derives them from the stage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from deploy.errors import SettingsError

DEFAULT_STAGE = "default"
STAGE = re.compile("[a-z][a-z0-9-]{0,19}", re.ASCII)


@dataclass(frozen=True)
class Names:
    """The names of a stage begin with it, so that stages live side by side in one account."""

    stage: str = DEFAULT_STAGE
    stream: str = "realtimeInventoryProcessing"
    table: str = "product_inventory"
    removals_table: str = "inventory_removals"
    function: str = "inventory-processor"
    pipe: str = "inventory-pipe"
    dead_letter_queue: str = "inventory-pipe-dlq"
    rejected_queue: str = "inventory-rejected"
    rejections_topic: str = "inventory-rejections"
    dead_letters_topic: str = "inventory-dead-letters"
    topic: str = "inventory-failures"
    alerts_queue: str = "inventory-alerts"
    alerts_table: str = "inventory_alerts"
    alerts_function: str = "inventory-alerts"
    stack: str = "inventory"
    prefix: str = field(default="", init=False)

    @classmethod
    def of(cls, stage: str, stream: str = "", table: str = "") -> Self:
        """Those of a stage; the names of stream and table can be given."""
        prefix = "" if stage == DEFAULT_STAGE else f"{stage}-"
        derived = {
            f.name: f"{prefix}{f.default}" for f in fields(cls) if f.name != "stage" and f.init
        }
        given = {"stream": stream, "table": table}
        names = cls(stage=stage, **{**derived, **{k: v for k, v in given.items() if v}})
        object.__setattr__(names, "prefix", prefix)
        return names

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Those that STAGE, STREAM_NAME and TABLE_NAME set. Raises SettingsError."""
        stage = environ.get("STAGE") or DEFAULT_STAGE
        if not STAGE.fullmatch(stage):
            raise SettingsError(
                f"STAGE must be 1-20 of a-z, 0-9 and -, beginning with a letter (it is {stage!r})"
            )
        return cls.of(stage, environ.get("STREAM_NAME", ""), environ.get("TABLE_NAME", ""))
