"""Sends messages in as many calls of a batch API as they need, and adds up what was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.outcome import Failed, Fault, Succeeded
from eventbridge_pipes.path import UnresolvedError
from eventbridge_pipes.targets.limits import BATCH_LIMITS
from eventbridge_pipes.targets.refusals import Refusal, refusal_of
from eventbridge_pipes.targets.target import Message


@dataclass(frozen=True)
class Entry:
    """One message in the form of the API.

    `position` is the message's among those that are sent; `size` is in bytes, as the service
    counts them. Entries of one `group` must not overtake each other.
    """

    position: int
    request: Mapping[str, Any]
    size: int
    group: str | None = None


class UnsendableError(Exception):
    """A message cannot be made an entry; the text says why."""


@dataclass(frozen=True)
class BatchApi:
    """How messages go to an API that takes several at once.

    A call takes as many entries as BATCH_LIMITS says and `call_bytes`, one entry `entry_bytes`.
    `entry` makes an entry of a position and its message; it may raise UnsendableError or
    UnresolvedError. Entries are sent in the order of `order`, and `joins` tells whether the
    second one may go in the call that the first one opens.
    """

    service: str
    call_bytes: int
    entry_bytes: int
    entry: Callable[[int, Message], Entry]
    order: Callable[[Entry], int] = lambda entry: entry.position
    joins: Callable[[Entry, Entry], bool] = lambda first, entry: True


Call = Callable[[Sequence[Entry]], Mapping[int, Refusal]]
"""Makes one call. Returns the refusals by the entries' places in it; raises what boto3 raises."""


def send(messages: Sequence[Message], api: BatchApi, call: Call) -> Succeeded | Failed | Fault:
    """Hand over all that can be: what one call does not take, others may.

    After a fault of the service nothing more is sent. When some entries failed and others met a
    fault, the whole is a fault: no record is charged with an attempt that it did not have.
    """
    tally = _Tally()
    entries = sorted(_entries(messages, api, tally), key=api.order)
    batches = list(in_calls(entries, api))
    for number, batch in enumerate(batches):
        due = tally.held_back(batch)
        if not due:
            continue
        try:
            refusals = call(due)
        except errors.CallError as error:
            refusal = refusal_of(error, api.service)
            tally.refuse(due, refusal)
            if refusal.fault:
                for unsent in batches[number + 1 :]:
                    tally.refuse(unsent, refusal)
                break
        else:
            for place, refusal in refusals.items():
                tally.refuse([due[place]], refusal)
    return tally.answer(len(messages))


def in_calls(entries: Iterable[Entry], api: BatchApi) -> Iterator[list[Entry]]:
    """The entries in their order, call by call."""
    call: list[Entry] = []
    total = 0
    for entry in entries:
        full = len(call) == BATCH_LIMITS[api.service].records or total + entry.size > api.call_bytes
        if call and (full or not api.joins(call[0], entry)):
            yield call
            call, total = [], 0
        call.append(entry)
        total += entry.size
    if call:
        yield call


def numbered(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
    """The entries with their places in the call as ids."""
    return [{"Id": str(place), **entry.request} for place, entry in enumerate(entries)]


def _entries(messages: Sequence[Message], api: BatchApi, tally: _Tally) -> Iterator[Entry]:
    for position, message in enumerate(messages):
        try:
            entry = api.entry(position, message)
        except (UnresolvedError, UnsendableError) as error:
            tally.refused[position] = Refusal(str(error))
            continue
        if entry.size > api.entry_bytes:
            reason = f"a message of {entry.size} bytes is over the limit of {api.entry_bytes}"
            tally.refuse([entry], Refusal(reason))
        else:
            yield entry


class _Tally:
    """What was not taken, by position."""

    def __init__(self) -> None:
        self.refused: dict[int, Refusal] = {}
        # The first refused entry of each group.
        self._stuck: dict[str, Entry] = {}

    def refuse(self, entries: Iterable[Entry], refusal: Refusal) -> None:
        for entry in entries:
            self.refused[entry.position] = refusal
            if entry.group is not None:
                first = self._stuck.get(entry.group, entry)
                self._stuck[entry.group] = min(first, entry, key=lambda e: e.position)

    def held_back(self, batch: Iterable[Entry]) -> list[Entry]:
        """`batch` without the entries that would overtake one that was refused."""
        due = []
        for entry in batch:
            first = self._stuck.get(entry.group, entry) if entry.group is not None else entry
            if first.position < entry.position:
                self.refused[entry.position] = self.refused[first.position]
            else:
                due.append(entry)
        return due

    def answer(self, count: int) -> Succeeded | Failed | Fault:
        """What it comes to for `count` messages."""
        if not self.refused:
            return Succeeded()
        _, shown = min(self.refused.items(), key=lambda item: (not item[1].fault, item[0]))
        positions = frozenset(self.refused)
        if shown.fault:
            return Fault(shown.reason, shown.error, positions if len(positions) < count else None)
        return Failed(positions, shown.reason, shown.error)
