"""What was done, or would be done, to one resource, and the line that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The value is how a line about it begins; `KEPT` is a resource that is not ours to delete."""

    CREATED = "created"
    UPDATED = "updated"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    ABSENT = "already gone:"
    KEPT = "left alone"


_PLANNED = {
    Action.CREATED: "would create",
    Action.UPDATED: "would update",
    Action.REPLACED: "would replace",
}


@dataclass(frozen=True)
class Change:
    """`resource` is its kind and name ("table product_inventory"); `planned` means not done yet."""

    action: Action
    resource: str
    detail: str = ""
    planned: bool = False

    def __str__(self) -> str:
        verb = _PLANNED.get(self.action, self.action) if self.planned else self.action
        if not self.detail:
            return f"{verb} {self.resource}"
        if self.action is Action.CREATED:
            return f"{verb} {self.resource} ({self.detail})"
        return f"{verb} {self.resource}: {self.detail}"


def render_plan(changes: Sequence[Change]) -> str:
    """One line a resource, then how many of them would change."""
    pending = sum(change.action is not Action.UNCHANGED for change in changes)
    verdict = f"{pending} of {len(changes)} resources would change" if pending else "nothing to do"
    return "\n".join([*map(str, changes), verdict])
