"""What is shown of the log: which entries, in which layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from inventory.stock import Row
from inventory_cli.audit import showing
from inventory_cli.audit.entry import Entry
from inventory_cli.audit.moments import may_be_since
from inventory_cli.audit.status import Status

Logged = tuple[Entry, str]
"""An entry, and the line that it is in the log."""

View = Callable[[Iterable[Logged]], Iterator[str]]
"""The lines for entries, which come in their order, over one or more calls."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries: of one product, from a moment on (as entries have theirs); None for all."""

    product_id: str | None
    since: str | None

    def has(self, product_id: str) -> bool:
        return self.product_id in (None, product_id)

    def of(self, entries: Iterable[Logged]) -> Iterator[Logged]:
        for entry, line in entries:
            since = self.since is None or may_be_since(entry.at, self.since)
            if since and self.has(entry.product_id):
                yield entry, line


def text(entries: Iterable[Logged]) -> Iterator[str]:
    for entry, _ in entries:
        yield from showing.text(entry)


def jsonl(entries: Iterable[Logged]) -> Iterator[str]:
    """The lines of the log, as they are."""
    for _, line in entries:
        yield line


def status(rows: Mapping[str, Row]) -> View:
    """The layout of `DynamodbTableStatus.txt`. `rows` are those of a moment before the first call
    whose entries reach up to that moment."""
    shown: Status | None = None

    def view(entries: Iterable[Logged]) -> Iterator[str]:
        nonlocal shown
        several = [entry for entry, _ in entries]
        if shown is None:
            shown = Status(rows, several)
            yield from shown.before()
        yield from chain.from_iterable(map(shown.after, several))

    return view
