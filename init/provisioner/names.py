"""The names of the resources, each overridable by an environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from provisioner.errors import SettingsError
from provisioner.variables import Variables, matching, read

# No ".fifo": neither a pipe's dead-letter queue nor a standard topic's subscriber may be FIFO.
_QUEUE = matching(r"[\w-]{1,80}", "1-80 letters, digits or any of _ -")
_ROLE = matching(r"[\w+=,.@-]{1,64}", "1-64 letters, digits or any of _ + = , . @ -")

VARIABLES: Variables = {
    "stream": (
        "STREAM_NAME",
        matching(r"[\w.-]{1,128}", "1-128 letters, digits or any of _ . -"),
    ),
    "table": (
        "TABLE_NAME",
        matching(r"[\w.-]{3,255}", "3-255 letters, digits or any of _ . -"),
    ),
    "function": (
        "FUNCTION_NAME",
        matching(r"[\w-]{1,64}", "1-64 letters, digits or any of _ -"),
    ),
    "pipe": (
        "PIPE_NAME",
        matching(r"[\w.-]{1,64}", "1-64 letters, digits or any of _ . -"),
    ),
    "dead_letter_queue": ("DEAD_LETTER_QUEUE_NAME", _QUEUE),
    "topic": (
        "TOPIC_NAME",
        matching(r"[\w-]{1,256}", "1-256 letters, digits or any of _ -"),
    ),
    "rejected_queue": ("REJECTED_QUEUE_NAME", _QUEUE),
    "function_role": ("FUNCTION_ROLE_NAME", _ROLE),
    "pipe_role": ("PIPE_ROLE_NAME", _ROLE),
}


@dataclass(frozen=True)
class Names:
    """What each resource is called."""

    stream: str = "realtimeInventoryProcessing"
    table: str = "product_inventory"
    function: str = "inventory-processor"
    pipe: str = "inventory-pipe"
    dead_letter_queue: str = "inventory-pipe-dlq"
    topic: str = "inventory-failures"
    rejected_queue: str = "inventory-rejected"
    function_role: str = "inventory-processor-role"
    pipe_role: str = "inventory-pipe-role"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The names that `environ` sets, the default ones for the rest.

        Raises SettingsError naming the variable that AWS would refuse.
        """
        names = cls(**read(VARIABLES, environ))
        if names.dead_letter_queue == names.rejected_queue:
            raise SettingsError("DEAD_LETTER_QUEUE_NAME and REJECTED_QUEUE_NAME must differ")
        if names.function_role == names.pipe_role:
            raise SettingsError("FUNCTION_ROLE_NAME and PIPE_ROLE_NAME must differ")
        return names
