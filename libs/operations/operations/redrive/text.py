"""Failed events and decisions as users see them, with texts from outside escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from inventory.stock import Row
from inventory_aws.shown import shown, shown_bytes
from operations.redrive.failed_event import FailedEvent
from operations.redrive.plan import Action, Decision, Effect

PAYLOAD_CHARACTERS = 200
"""How much of a payload the list for people has."""


def event_lines(event: FailedEvent) -> Iterator[str]:
    """An event in a list for people."""
    moment = datetime.fromtimestamp(event.failed_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    product = "no product" if event.product_id is None else shown(event.product_id)
    yield f"{shown(event.name)}  {moment}  {product}"
    yield f"    {shown(event.reason)}"
    payload = shown(event.lost or "") if event.payload is None else shown_bytes(event.payload)
    if event.payload is not None and len(payload) > PAYLOAD_CHARACTERS:
        payload = f"{payload[:PAYLOAD_CHARACTERS]}… ({len(event.payload)} bytes)"
    yield f"    {payload}"


def event_document(event: FailedEvent) -> dict[str, Any]:
    """The whole event, for programs; a payload that is not UTF-8 is in base64."""
    payload, encoding = None, None
    if event.payload is not None:
        try:
            payload, encoding = event.payload.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            payload, encoding = base64.b64encode(event.payload).decode("ascii"), "base64"
    return {
        "id": event.name,
        "queue": event.origin,
        "failed_at": event.failed_at,
        "reason": event.reason,
        "product_id": event.product_id,
        "event_id": event.event_id,
        "shard_id": event.shard_id,
        "sequence_number": str(event.sequence_number),
        "payload": payload,
        "payload_encoding": encoding,
        "lost": event.lost,
    }


def decision_line(
    decision: Decision, force: str = "--force sends it", edit: str = "--edit changes it"
) -> str:
    """What becomes of an event. `force` and `edit` say what a user can do."""
    event, effect = decision.event, decision.effect
    product = "" if event.product_id is None else f"  {shown(event.product_id)}"
    change = _change(decision.before, decision.after) if effect is Effect.APPLIED else ""
    why = "" if decision.reason is None else f" ({shown(decision.reason)})"
    then = ""
    if decision.action is Action.REMOVE:
        then = ": leaves its queue"
    elif decision.action is Action.LEAVE:
        hints = {Effect.SUPERSEDED: force, Effect.UNORDERED: force, Effect.REJECTED: edit}
        then = f": stays ({hints[effect]})" if effect in hints else ": stays"
    return f"{shown(event.name)}{product}  {effect}{change}{why}{then}"


def _change(before: Row | None, after: Row | None) -> str:
    if after is None:
        return ": the row is removed"
    if before is None:
        return f": a new row, {_words(after)}"
    if before.product_name == after.product_name:
        return shown(f": quantity {before.quantity} → {after.quantity}")
    return f": {_words(before)} → {_words(after)}"


def _words(row: Row) -> str:
    return shown(f"{row.product_name}, quantity {row.quantity}")


def hidden_notice(messages: int) -> str:
    """Say that some messages cannot be seen."""
    return (
        f"{messages} more message{'s are' if messages > 1 else ' is'} hidden for now, because "
        "another program received them. Try again when their visibility timeout has ended."
    )
