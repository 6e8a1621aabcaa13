"""What a target's answer says about each record of the batch it was given."""

from __future__ import annotations

import json
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

from eventbridge_pipes.record import Record


@dataclass(frozen=True)
class FailedCall:
    """What went wrong with a call, or with one entry of a call.

    `service` is the endpoint prefix of the service, such as lambda, and `details` its error code.
    `status` is 0 and `request_id` empty when there was no answer. With `service_error`, the service
    did not carry the call out: that is no fault of what was sent.
    """

    service: str
    message: str
    status: int = 0
    details: str = ""
    request_id: str = ""
    throttled: bool = False
    timed_out: bool = False
    service_error: bool = False

    @property
    def reason(self) -> str:
        return f"{self.details}: {self.message}" if self.details else self.message


@dataclass(frozen=True)
class Outcome:
    """What became of the records of a batch in one attempt.

    Those at the positions `failed` were not delivered; without any, the attempt succeeded. `error`
    is that of the call, if one went wrong. A `service_error` is not charged to the records as an
    attempt.
    """

    failed: frozenset[int] = frozenset()
    reason: str = ""
    error: FailedCall | None = None
    service_error: bool = False


SUCCEEDED = Outcome()


def all_failed(
    batch: Sized, reason: str, error: FailedCall | None = None, service_error: bool = False
) -> Outcome:
    return Outcome(frozenset(range(len(batch))), reason, error, service_error)


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
        return SUCCEEDED
    failures = returned["batchItemFailures"]
    if not isinstance(failures, list):
        return all_failed(records, "batchItemFailures is not a list")
    if not failures:
        return SUCCEEDED
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
    return Outcome(frozenset(failed), "reported in batchItemFailures")


def _identifier(item: Any) -> str | None:
    identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
    return identifier if isinstance(identifier, str) and identifier else None
