"""The output for people: a line for each event, and a live count and rate below them."""

from __future__ import annotations

import json

from rich.console import Console
from rich.live import Live
from rich.text import Text

from inventory_aws.outbox import Event
from inventory_aws.sender import Accepted, Refused
from inventory_aws.shown import shown, shown_bytes
from producer.tally import Summary

QUANTITIES = ("quantity", "quantity_change")
MOST_BYTES = 60
"""Of an event's content, in its line."""


class PlainConsole(Console):
    """A console that raises BrokenPipeError; rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise


class TextOutput:
    """Updates a line at the bottom of a terminal; elsewhere writes a line every 10 seconds."""

    def __init__(self, console: Console, *, stream: str) -> None:
        self._console = console
        self._stream = stream
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self.progress_every = 0.1 if console.is_terminal else 10.0

    def __enter__(self) -> TextOutput:
        self._line(f"Sending to {shown(self._stream)}. Ctrl+C stops.")
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def event(self, accepted: Accepted) -> None:
        event = accepted.event
        self._line(
            f"{shown(event.partition_key):<6} {event.kind:<24} {_content(event)} "
            f"{accepted.shard_id} {accepted.sequence_number}",
            style="yellow" if event.invalid else "",
        )

    def progress(self, summary: Summary) -> None:
        line = f"{summary.sent:,} sent, {summary.rate:,.1f}/s{_refusals(summary)}"
        if self._console.is_terminal:
            self._live.update(Text(line, style="bold"), refresh=True)
        else:
            self._line(line)

    def refused(self, refused: Refused) -> None:
        self._line(
            f"{refused.records:,} not accepted ({refused.reason}). "
            f"Retrying in {refused.pause:.2f} s.",
            style="yellow",
        )

    def stopping(self, pending: int) -> None:
        self._line(f"Stopping… {pending:,} events still to send. Ctrl+C again stops at once.")

    def summary(self, summary: Summary, *, unconfirmed: int) -> None:
        self._live.stop()
        kinds = [f"{count:,} {kind}" for kind, count in summary.by_type.items()]
        kinds += [f"{summary.invalid:,} invalid"] if summary.invalid else []
        self._line(
            f"{summary.sent:,} events sent to {shown(self._stream)} in {summary.seconds:.1f} s "
            f"({summary.rate:,.1f}/s): {', '.join(kinds) or 'none'}{_refusals(summary)}"
            + (f"; {unconfirmed:,} not confirmed" if unconfirmed else ""),
            style="bold",
        )

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)


def _content(event: Event) -> str:
    """Return the name and quantity of the product, or the beginning of what has none. The name
    means nothing in a change."""
    payload = event.payload
    try:
        product = json.loads(payload)["product"]
        named = event.kind != "product_quantity_changed" and "product_name" in product
        fields = [str(product["product_name"])] if named else []
        fields += [f"{key} {product[key]}" for key in QUANTITIES if key in product]
    except (ValueError, LookupError, TypeError, RecursionError):
        return shown_bytes(payload[:MOST_BYTES])
    return shown(", ".join(fields)[:MOST_BYTES])


def _refusals(summary: Summary) -> str:
    return f"; {summary.refused:,} retried" if summary.refused else ""
