"""Sends messages in as many calls of a batch API as they need, and collects what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from eventbridge_pipes.aws import errors
from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, Outcome
from eventbridge_pipes.path import UnresolvedError
from eventbridge_pipes.targets import target
from eventbridge_pipes.targets.target import Message, Messages, UnreadableAnswerError
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_INTERNAL = {"InternalError", "InternalException", "InternalFailure", "ServiceUnavailable"}


@dataclass(frozen=True)
class Entry:
    """One message in the form of the API.

    `position` is the message's among those that are sent. `size` is in bytes, as the service
    counts them. Entries of one `group` keep their order. `timestamp` is in milliseconds, where the
    API has one.
    """

    position: int
    request: Mapping[str, Any]
    size: int
    group: str | None = None
    timestamp: int = 0


class UnsendableError(Exception):
    """A message cannot be made an entry; the text says why."""


Entries = Sequence[Entry]
EntryErrors = Mapping[int, FailedCall]
"""By the places of the entries in their call, or by their positions."""


@dataclass(frozen=True)
class BatchTarget:
    """A target whose API takes several messages in a call.

    A call takes at most as many entries as the kind's batches have, and `call_bytes`; an entry has
    at most `entry_bytes`.
    `entry` makes an entry of a position and its message; it may raise UnsendableError or
    UnresolvedError. `call` makes one call and returns what failed; it raises what boto3 raises.
    Entries are sent in the order of their timestamps, then of their positions. Those of a call are
    at most `call_span` milliseconds apart.
    """

    kind: target.TargetKind
    call_bytes: int
    entry_bytes: int
    entry: Callable[[int, Message], Entry]
    call: Callable[[Entries, ExecutionTelemetry], EntryErrors]
    call_span: int = 0

    def send(self, messages: Messages, execution: ExecutionTelemetry) -> Outcome:
        """Send all messages that can be sent: also those after one that failed.

        After a service error nothing more is sent. If only some entries failed with one, the whole
        is a service error: no record is charged with an attempt that it did not have.
        """
        failures: dict[int, FailedCall] = {}
        entries = sorted(self._entries(messages, failures), key=lambda entry: entry.timestamp)
        sendable = [entry for entry in entries if entry.position not in failures]
        calls = self._calls(sendable)
        for call in calls:
            due = []
            for entry in call:
                if error_before := _failed_before(entry, entries, failures):
                    failures[entry.position] = error_before
                else:
                    due.append(entry)
            try:
                failed = self.call(due, execution) if due else {}
            except errors.CallError as error:
                call_error = target.call_error(self.kind.service, error)
                if call_error.service_error:
                    due += chain.from_iterable(calls)
                failed = dict.fromkeys(range(len(due)), call_error)
            for place, entry_error in failed.items():
                failures[due[place].position] = entry_error
        return _outcome(failures)

    def _entries(self, messages: Messages, failures: dict[int, FailedCall]) -> Iterator[Entry]:
        """Yield the entries. Messages that cannot be sent are added to `failures`."""
        for position, message in enumerate(messages):
            try:
                entry = self.entry(position, message)
            except (UnresolvedError, UnsendableError) as error:
                failures[position] = FailedCall("", str(error))
                continue
            if entry.size > self.entry_bytes:
                reason = f"a message of {entry.size} bytes is over the limit of {self.entry_bytes}"
                failures[position] = FailedCall("", reason)
            yield entry

    def _calls(self, entries: Iterable[Entry]) -> Iterator[list[Entry]]:
        """Cut the entries into calls, in their order."""
        call: list[Entry] = []
        size = 0
        for entry in entries:
            full = len(call) == self.kind.batch_limit or size + entry.size > self.call_bytes
            if call and (full or entry.timestamp - call[0].timestamp > self.call_span):
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


def _entry_error(
    service: str, answer: Mapping[str, Any], code: Any, message: Any, service_error: bool
) -> FailedCall:
    error = target.reported_error(service, str(code), str(message or ""), answer)
    return replace(error, service_error=service_error or error.throttled)


def _failed_before(
    entry: Entry, entries: Iterable[Entry], failures: EntryErrors
) -> FailedCall | None:
    """Return the error of the first entry that failed of those before `entry` in its group."""
    if entry.group is None:
        return None
    before = (e.position for e in entries if e.group == entry.group and e.position < entry.position)
    return next((failures[position] for position in before if position in failures), None)


def _outcome(failures: EntryErrors) -> Outcome:
    """Return the outcome, given why some messages failed, by their positions."""
    if not failures:
        return SUCCEEDED
    _, shown = min(failures.items(), key=lambda item: (not item[1].service_error, item[0]))
    error = shown if shown.service else None
    return Outcome(frozenset(failures), shown.reason, error, shown.service_error)
