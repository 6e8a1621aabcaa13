"""The names of the resources: of a stage, and each overridable by an environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Self

from provisioner.errors import SettingsError
from provisioner.resources import DEFAULT_STAGE
from provisioner.variables import Variables, matching, read

# No ".fifo": neither a pipe's dead-letter queue nor a standard topic's subscriber may be FIFO.
_QUEUE = matching(r"[\w-]{1,80}", "1-80 letters, digits or any of _ -")
_TOPIC = matching(r"[\w-]{1,256}", "1-256 letters, digits or any of _ -")
_TABLE = matching(r"[\w.-]{3,255}", "3-255 letters, digits or any of _ . -")
_FUNCTION = matching(r"[\w-]{1,64}", "1-64 letters, digits or any of _ -")
_ROLE = matching(r"[\w+=,.@-]{1,64}", "1-64 letters, digits or any of _ + = , . @ -")

VARIABLES: Variables = {
    # Lower case and short: it has its place in the names of every service.
    "stage": (
        "STAGE",
        matching(r"[a-z][a-z0-9-]{0,19}", "1-20 of a-z, 0-9 and -, beginning with a letter"),
    ),
    "stream": (
        "STREAM_NAME",
        matching(r"[\w.-]{1,128}", "1-128 letters, digits or any of _ . -"),
    ),
    "table": ("TABLE_NAME", _TABLE),
    "removals_table": ("REMOVALS_TABLE_NAME", _TABLE),
    "function": ("FUNCTION_NAME", _FUNCTION),
    "pipe": (
        "PIPE_NAME",
        matching(r"[\w.-]{1,64}", "1-64 letters, digits or any of _ . -"),
    ),
    "dead_letter_queue": ("DEAD_LETTER_QUEUE_NAME", _QUEUE),
    "rejected_queue": ("REJECTED_QUEUE_NAME", _QUEUE),
    "rejections_topic": ("REJECTIONS_TOPIC_NAME", _TOPIC),
    "dead_letters_topic": ("DEAD_LETTERS_TOPIC_NAME", _TOPIC),
    "topic": ("TOPIC_NAME", _TOPIC),
    "alerts_queue": ("ALERTS_QUEUE_NAME", _QUEUE),
    "alerts_table": ("ALERTS_TABLE_NAME", _TABLE),
    "alerts_function": ("ALERTS_FUNCTION_NAME", _FUNCTION),
    "alarms": (
        "ALARM_PREFIX",
        matching(r"[\w.-]{1,200}", "1-200 letters, digits or any of _ . -"),
    ),
    "dashboard": (
        "DASHBOARD_NAME",
        matching(r"[\w-]{1,255}", "1-255 letters, digits or any of _ -"),
    ),
    "function_role": ("FUNCTION_ROLE_NAME", _ROLE),
    "alerts_role": ("ALERTS_ROLE_NAME", _ROLE),
    "pipe_role": ("PIPE_ROLE_NAME", _ROLE),
}

_OF_ONE_KIND = (
    ("table", "removals_table", "alerts_table"),
    ("function", "alerts_function"),
    ("dead_letter_queue", "rejected_queue", "alerts_queue"),
    ("rejections_topic", "dead_letters_topic", "topic"),
    ("function_role", "alerts_role", "pipe_role"),
)


@dataclass(frozen=True)
class Names:
    """What each resource is called.

    The names of a stage begin with it, so that stages live side by side in one account. A name that
    is set by its own variable is the whole name, as it is written.
    """

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
    alarms: str = "inventory"
    """What their names begin with."""
    dashboard: str = "inventory"
    function_role: str = "inventory-processor-role"
    alerts_role: str = "inventory-alerts-role"
    pipe_role: str = "inventory-pipe-role"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The names that `environ` sets, the default ones for the rest.

        Raises SettingsError naming the variable that AWS would refuse.
        """
        given = read(VARIABLES, environ)
        names = cls(**{**cls._of_stage(given.get("stage", DEFAULT_STAGE)), **given})
        for kind in _OF_ONE_KIND:
            for one, other in combinations(kind, 2):
                if getattr(names, one) == getattr(names, other):
                    variables = " and ".join(VARIABLES[field][0] for field in (one, other))
                    raise SettingsError(f"{variables} must differ")
        return names

    @classmethod
    def _of_stage(cls, stage: str) -> dict[str, str]:
        prefix = "" if stage == DEFAULT_STAGE else f"{stage}-"
        return {f.name: f"{prefix}{f.default}" for f in fields(cls) if f.name != "stage"}
