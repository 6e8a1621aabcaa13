"""Failed events and decisions as a user sees them. What they hold came from outside: it is shown,
never obeyed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from inventory.stock import Row
from inventory_aws.shown import shown, shown_bytes
from operations.redrive.item import Item
from operations.redrive.plan import Action, Decision, Verdict

PAYLOAD_CHARACTERS = 200
"""How much of a payload is in a list for people; JSON lines have it whole."""


def lines(item: Item) -> Iterator[str]:
    """An item in a list for people."""
    product = "no product" if item.product_id is None else shown(item.product_id)
    yield f"{shown(item.name)}  {_moment(item.failed_at)}  {product}"
    yield f"    {shown(item.reason)}"
    if item.payload is None:
        yield f"    {shown(item.lost or '')}"
    else:
        yield f"    {_bounded(shown_bytes(item.payload), len(item.payload))}"


def document(item: Item) -> dict[str, Any]:
    """The whole of an item, for programs. Times are in epoch seconds; what is not UTF-8 is in
    base64; without a payload, `lost` says why."""
    payload, encoding = _encoded(item.payload)
    return {
        "id": item.name,
        "queue": item.origin,
        "failed_at": item.failed_at,
        "reason": item.reason,
        "product_id": item.product_id,
        "event_id": item.event_id,
        "shard_id": item.shard_id,
        "sequence_number": str(item.sequence_number),
        "payload": payload,
        "payload_encoding": encoding,
        "lost": item.lost,
    }


def decided(
    decision: Decision, force: str = "--force sends it", edit: str = "--edit changes it"
) -> str:
    """What would become of an item, in a line. `force` and `edit` say what a user can do."""
    item = decision.item
    name = shown(item.name)
    product = "" if item.product_id is None else f"  {shown(item.product_id)}"
    why = "" if decision.reason is None else f" ({shown(decision.reason)})"
    return (
        f"{name}{product}  {decision.verdict}{_effect(decision)}{why}{_then(decision, force, edit)}"
    )


def _effect(decision: Decision) -> str:
    before, after = decision.before, decision.after
    if decision.verdict is not Verdict.APPLIED:
        return ""
    if after is None:
        return ": the row is removed"
    if before is None:
        return f": a new row, {_words(after)}"
    if before.product_name == after.product_name:
        return shown(f": quantity {before.quantity} → {after.quantity}")
    return f": {_words(before)} → {_words(after)}"


def _then(decision: Decision, force: str, edit: str) -> str:
    match decision.action, decision.verdict:
        case Action.LEAVE, Verdict.SUPERSEDED | Verdict.UNORDERED:
            return f": stays ({force})"
        case Action.LEAVE, Verdict.REJECTED:
            return f": stays ({edit})"
        case Action.LEAVE, _:
            return ": stays"
        case Action.FORGET, _:
            return ": leaves its queue"
    return ""


def _words(row: Row) -> str:
    return shown(f"{row.product_name}, quantity {row.quantity}")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _bounded(text: str, size: int) -> str:
    if len(text) <= PAYLOAD_CHARACTERS:
        return text
    return f"{text[:PAYLOAD_CHARACTERS]}… ({size} bytes)"


def _encoded(payload: bytes | None) -> tuple[str | None, str | None]:
    if payload is None:
        return None, None
    try:
        return payload.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode("ascii"), "base64"


def hidden(messages: int) -> str:
    """Return the notice that some messages cannot be seen."""
    return (
        f"{messages} more message{'s are' if messages > 1 else ' is'} hidden for now, because "
        "another program received them. Try again when their visibility timeout has ended."
    )
