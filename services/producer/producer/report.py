"""The output of a run: what the stream accepts, as text for people or JSON lines for programs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import click

from inventory.json_text import strict_json
from inventory_aws.sender import Accepted, Refused
from inventory_aws.shown import shown, shown_bytes
from producer.pace import Pace
from producer.settings import Settings

SHOWN_FIELDS = ("product_name", "quantity", "quantity_change")
CONTENT_LENGTH = 60

KEPT_SHARE = 0.9
"""The share of the rate asked for from which it counts as kept."""

SHORTEST_RUN = 1.0
"""Seconds. Over less time than that, an average says little."""


class Report:
    """Shows each event, or else progress, and a summary at the end."""

    def __init__(self, settings: Settings, pace: Pace, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._pace = pace
        self._clock = clock
        terminal = sys.stdout.isatty()
        self._as_text = terminal if settings.output == "auto" else settings.output == "text"
        self._progress_every = 10.0 if self._as_text and not terminal else 1.0
        self._start = self._last_progress = clock()
        self._by_type = Counter[str]()
        self._invalid = self._refused = 0
        if self._as_text:
            click.echo(f"Sending to {shown(settings.stream)}. Ctrl+C stops.")

    def accepted(self, accepted: Accepted) -> None:
        event, now = accepted.event, self._clock()
        if event.invalid:
            self._invalid += 1
        else:
            self._by_type[event.kind] += 1
        if self._settings.each_event_shown:
            self.show(
                "event",
                event=_readable(event.payload),
                kind=event.kind,
                invalid=event.invalid,
                partition_key=event.partition_key,
                shard_id=accepted.shard_id,
                sequence_number=accepted.sequence_number,
            )
        elif now - self._last_progress >= self._progress_every:
            self._last_progress = now
            self.show("progress", **self._totals())

    def refused(self, refused: Refused) -> None:
        self._refused += refused.records
        pause = round(refused.pause, 3)
        self.show("refused", records=refused.records, reason=refused.reason, again_in_seconds=pause)

    def end(self, unconfirmed: int) -> None:
        """Show the summary, and a warning if the rate asked for was not kept."""
        totals = self._totals()
        self.show(
            "summary",
            stream=self._settings.stream,
            **totals,
            by_type=dict(sorted(self._by_type.items())),
            invalid=self._invalid,
            unconfirmed=unconfirmed,
        )
        wanted = None if self._pace.changes else self._pace.rate
        if wanted and totals["rate"] < KEPT_SHARE * wanted and totals["seconds"] >= SHORTEST_RUN:
            click.echo(
                f"Warning: The stream accepted {totals['rate']:,.1f} events per second over "
                f"{totals['seconds']:.0f} s; the rate asked for is {wanted:,g}.",
                err=True,
            )

    def _totals(self) -> dict[str, Any]:
        sent = self._by_type.total() + self._invalid
        seconds = self._clock() - self._start
        return {
            "sent": sent,
            "refused": self._refused,
            "seconds": round(seconds, 3),
            "rate": round(sent / seconds, 1) if seconds else 0.0,
        }

    def show(self, line_type: str, **fields: Any) -> None:
        if self._as_text:
            odd = line_type == "refused" or fields.get("invalid") is True
            bold = line_type in ("progress", "summary") or None
            click.secho(text_of(line_type, fields), bold=bold, fg="yellow" if odd else None)
        else:  # in ASCII, so that no event can control a terminal
            click.echo(json.dumps({"type": line_type, **fields}))


def text_of(line_type: str, line: dict[str, Any]) -> str:
    """Return the line for people. Nothing that an event contains can control their terminal."""
    retried = f"; {line['refused']:,} retried" if line.get("refused") else ""
    match line_type:
        case "event":
            return (
                f"{shown(line['partition_key']):<6} {line['kind']:<24} {_content(line)} "
                f"{line['shard_id']} {line['sequence_number']}"
            )
        case "refused":
            return (
                f"{line['records']:,} not accepted ({line['reason']}). "
                f"Retrying in {line['again_in_seconds']:.2f} s."
            )
        case "stopping":
            return (
                f"Stopping… {line['pending']:,} events still to send. Ctrl+C again stops at once."
            )
        case "progress":
            return f"{line['sent']:,} sent, {line['rate']:,.1f}/s{retried}"
    kinds = line["by_type"] | {"invalid": line["invalid"]}
    counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count) or "none"
    unconfirmed = f"; {line['unconfirmed']:,} not confirmed" if line["unconfirmed"] else ""
    return (
        f"{line['sent']:,} events sent to {shown(line['stream'])} in {line['seconds']:.1f} s "
        f"({line['rate']:,.1f}/s): {counts}{retried}{unconfirmed}"
    )


def _content(line: dict[str, Any]) -> str:
    """Return the name and quantity of the product, or the beginning of what has none."""
    event = line["event"]
    product = event.get("product") if isinstance(event, dict) else None
    try:
        if isinstance(product, dict):
            fields = [f"{name} {product[name]}" for name in SHOWN_FIELDS if name in product]
            text = ", ".join(fields).removeprefix("product_name ")
        else:
            text = event if isinstance(event, str) else json.dumps(event)
    except RecursionError:
        text = "nested too deeply"
    return shown(text[:CONTENT_LENGTH])


def _readable(payload: bytes) -> Any:
    """Return the event as JSON, or as text if it is not JSON."""
    try:
        return strict_json(payload)
    except ValueError:
        return shown_bytes(payload)
