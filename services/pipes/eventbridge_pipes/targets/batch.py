"""Sends messages in as many calls of a batch API as they need, and collects what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.outcome import CallError, Failed, Fault, Outcome, Succeeded
from eventbridge_pipes.path import UnresolvedError
from eventbridge_pipes.targets import target
from eventbridge_pipes.targets.target import Message, Messages, UnreadableAnswerError
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_INTERNAL = {"InternalError", "InternalException", "InternalFailure", "ServiceUnavailable"}


@dataclass(frozen=True)
class Entry:
    """One message in the form of the API.

    `position` is the message's among those that are sent. `size` is in bytes, as the service
    counts them. Entries of one `group` keep their order.
    """

    position: int
    request: Mapping[str, Any]
    size: int
    group: str | None = None


@dataclass(frozen=True)
class EntryError:
    """Why an entry failed. With `fault`, the service is at fault and not what was sent."""

    reason: str
    error: CallError | None = None
    fault: bool = False


class UnsendableError(Exception):
    """A message cannot be made an entry; the text says why."""


Entries = Sequence[Entry]
EntryErrors = Mapping[int, EntryError]
"""By the places of the entries in their call."""


@dataclass(frozen=True)
class BatchTarget:
    """A target whose API takes several messages in a call.

    A call takes at most `call_entries` and `call_bytes`, an entry has at most `entry_bytes`.
    `entry` makes an entry of a position and its message; it may raise UnsendableError or
    UnresolvedError. `call` makes one call and returns what failed; it raises what boto3 raises.
    Entries are sent in the order of `order`. `joins` says whether the second entry may go in the
    call that the first one opens.
    """

    service: str
    call_entries: int
    call_bytes: int
    entry_bytes: int
    entry: Callable[[int, Message], Entry]
    call: Callable[[Entries, ExecutionTelemetry], EntryErrors]
    order: Callable[[Entry], int] = lambda entry: entry.position
    joins: Callable[[Entry, Entry], bool] = lambda first, entry: True

    def send(self, messages: Messages, execution: ExecutionTelemetry) -> Outcome:
        """Send all messages that can be sent: also those after one that failed.

        After a fault of the service nothing more is sent. If some entries failed and others met a
        fault, the whole is a fault: no record is charged with an attempt that it did not have.
        """
        failures = _Failures()
        calls = list(self._calls(sorted(self._entries(messages, failures), key=self.order)))
        while calls:
            due = failures.held_back(calls.pop(0))
            try:
                failed = self.call(due, execution) if due else {}
            except errors.CallError as error:
                entry_error = _of_call(self.service, error)
                if entry_error.fault:
                    due += chain.from_iterable(calls)
                    calls = []
                failed = dict.fromkeys(range(len(due)), entry_error)
            for place, entry_error in failed.items():
                failures.add(due[place], entry_error)
        return failures.outcome(len(messages))

    def _entries(self, messages: Messages, failures: _Failures) -> Iterator[Entry]:
        for position, message in enumerate(messages):
            try:
                entry = self.entry(position, message)
            except (UnresolvedError, UnsendableError) as error:
                failures.by_position[position] = EntryError(str(error))
                continue
            if entry.size > self.entry_bytes:
                reason = f"a message of {entry.size} bytes is over the limit of {self.entry_bytes}"
                failures.add(entry, EntryError(reason))
            else:
                yield entry

    def _calls(self, entries: Iterable[Entry]) -> Iterator[list[Entry]]:
        """Cut the entries into calls, in their order."""
        call: list[Entry] = []
        size = 0
        for entry in entries:
            full = len(call) == self.call_entries or size + entry.size > self.call_bytes
            if call and (full or not self.joins(call[0], entry)):
                yield call
                call, size = [], 0
            call.append(entry)
            size += entry.size
        if call:
            yield call


def numbered(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
    """Return the requests of the entries with their places in the call as ids."""
    return [{"Id": str(place), **entry.request} for place, entry in enumerate(entries)]


def failed_by_id(service: str, answer: Mapping[str, Any], count: int) -> EntryErrors:
    """Return what failed of a call of SQS or SNS with `count` numbered entries.

    Raises UnreadableAnswerError unless the answer has a result for each entry.
    """
    failed = target.items(service, answer, "Failed") if answer.get("Failed") else []
    succeeded = target.items(service, answer, "Successful") if answer.get("Successful") else []
    places = {str(place): place for place in range(count)}
    if {entry.get("Id") for entry in [*succeeded, *failed]} != places.keys():
        raise UnreadableAnswerError(service=service, member="a result for each entry")
    return {
        places[one["Id"]]: _entry_error(
            service, answer, one.get("Code"), one.get("Message"), not one.get("SenderFault")
        )
        for one in failed
    }


def failed_by_place(
    service: str, answer: Mapping[str, Any], member: str, count: int
) -> EntryErrors:
    """Return what failed of a call of Kinesis or EventBridge with `count` entries.

    `member` names the list of their results. Raises UnreadableAnswerError.
    """
    results = target.items(service, answer, member)
    if len(results) != count:
        raise UnreadableAnswerError(service=service, member="a result for each entry")
    return {
        place: _entry_error(service, answer, code, one.get("ErrorMessage"), code in _INTERNAL)
        for place, one in enumerate(results)
        if (code := one.get("ErrorCode"))
    }


def _of_call(service: str, error: BaseException) -> EntryError:
    fault = errors.is_service_fault(error)
    return EntryError(errors.describe(error), target.call_error(service, error), fault)


def _entry_error(
    service: str, answer: Mapping[str, Any], code: Any, message: Any, fault: bool
) -> EntryError:
    error = target.reported_error(service, str(code), str(message or ""), answer)
    return EntryError(f"{code}: {error.message}", error, fault or error.throttled)


class _Failures:
    """The entries that failed."""

    def __init__(self) -> None:
        self.by_position: dict[int, EntryError] = {}
        # The position of the first failed entry of each group.
        self._first: dict[str | None, int] = {}

    def add(self, entry: Entry, error: EntryError) -> None:
        self.by_position[entry.position] = error
        if entry.group is not None:
            first = self._first.get(entry.group, entry.position)
            self._first[entry.group] = min(first, entry.position)

    def held_back(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return `entries` without those that would overtake one of their group that failed."""
        due = []
        for entry in entries:
            first = self._first.get(entry.group, entry.position)
            if first < entry.position:
                self.by_position[entry.position] = self.by_position[first]
            else:
                due.append(entry)
        return due

    def outcome(self, count: int) -> Outcome:
        """Return the outcome for `count` messages."""
        if not self.by_position:
            return Succeeded()
        _, shown = min(self.by_position.items(), key=lambda item: (not item[1].fault, item[0]))
        positions = frozenset(self.by_position)
        if shown.fault:
            return Fault(shown.reason, shown.error, positions if len(positions) < count else None)
        return Failed(positions, shown.reason, shown.error)
