"""What a target's answer says about each record of the batch it was given."""

from __future__ import annotations

import json
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

from eventbridge_pipes.record import Record


@dataclass(frozen=True)
class Succeeded:
    """Every record was taken."""


@dataclass(frozen=True)
class CallError:
    """What went wrong with a call, as the execution log tells it.

    `status` is 0 and `request_id` empty when there was no answer; `service` is its endpoint
    prefix, such as lambda.
    """

    service: str
    message: str
    status: int = 0
    details: str = ""
    request_id: str = ""
    throttled: bool = False
    timed_out: bool = False


@dataclass(frozen=True)
class Failed:
    """The records at `positions` of the batch failed; it counts as an attempt."""

    positions: frozenset[int]
    reason: str
    error: CallError | None = None


@dataclass(frozen=True)
class Fault:
    """The service did not carry the call out: not the records' fault, and no attempt.

    `positions` are the records that it was not carried out for, None for all of the batch.
    """

    reason: str
    error: CallError | None = None
    positions: frozenset[int] | None = None


Outcome = Succeeded | Failed | Fault


def all_failed(batch: Sized, reason: str, error: CallError | None = None) -> Failed:
    return Failed(frozenset(range(len(batch))), reason, error)


def failed_positions(outcome: Outcome, count: int) -> frozenset[int]:
    """Where in a batch of `count` the records are that have to be sent again, or given up on."""
    match outcome:
        case Succeeded():
            return frozenset()
        case Failed(positions=positions):
            return positions
        case Fault(positions=positions):
            return frozenset(range(count)) if positions is None else positions


def error_of(outcome: Failed | Fault) -> CallError:
    """The error of the call, or this service's own words where no call went wrong."""
    return outcome.error or CallError("pipes", outcome.reason)


def of_answer(answer: bytes, records: Sequence[Record]) -> Outcome:
    """The outcome that a Lambda function reports by what it returns.

    `{"batchItemFailures": [{"itemIdentifier": …}]}` names those that failed, by event id or by
    bare sequence number. An empty or null list or answer, or one without that key, is success.
    What is not JSON, a list that is not well formed or names what is not in the batch, fails all:
    better again than lost.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """
    try:
        returned = json.loads(answer) if answer.strip() else None
    except (ValueError, RecursionError):
        return all_failed(records, "the answer is not JSON")
    if not isinstance(returned, dict) or returned.get("batchItemFailures") is None:
        return Succeeded()
    failures = returned["batchItemFailures"]
    if not isinstance(failures, list):
        return all_failed(records, "batchItemFailures is not a list")
    if not failures:
        return Succeeded()
    known = {record.sequence_number: position for position, record in enumerate(records)}
    known |= {record.event_id: position for position, record in enumerate(records)}
    failed = set()
    for item in failures:
        identifier = _identifier(item)
        if identifier is None:
            return all_failed(records, "an item of batchItemFailures has no itemIdentifier")
        if identifier not in known:
            shown = json.dumps(identifier[:100])
            return all_failed(records, f"itemIdentifier {shown} is not in the batch")
        failed.add(known[identifier])
    return Failed(frozenset(failed), "reported in batchItemFailures")


def _identifier(item: Any) -> str | None:
    identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
    return identifier if isinstance(identifier, str) and identifier else None
