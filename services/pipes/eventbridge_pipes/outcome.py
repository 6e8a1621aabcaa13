"""What becomes of records in an attempt, and what the answers of targets and enrichments say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

from eventbridge_pipes.record import Record, decode_json

ANSWER_LIMIT = 6 * 1024 * 1024
"""Bytes that an enrichment may answer with."""

_EMPTY: tuple[Any, ...] = (None, "", {}, [])
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"[\s,]*")


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
    is that of the call, if one went wrong. A `service_error` does not count as an attempt of the
    records.
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
    failures = returned.get("batchItemFailures") if isinstance(returned, dict) else None
    if failures is None or failures == []:
        return SUCCEEDED
    if not isinstance(failures, list):
        return all_failed(records, "batchItemFailures is not a list")
    known = {record.sequence_number: position for position, record in enumerate(records)}
    known |= {record.event_id: position for position, record in enumerate(records)}
    failed = set()
    for item in failures:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not (isinstance(identifier, str) and identifier):
            return all_failed(records, "an item of batchItemFailures has no itemIdentifier")
        if identifier not in known:
            shown = json.dumps(identifier[:100])
            return all_failed(records, f"itemIdentifier {shown} is not in the batch")
        failed.add(known[identifier])
    return Outcome(frozenset(failed), "reported in batchItemFailures")


class EnrichedError(Exception):
    """The answer of the enrichment cannot be passed on; the text says why."""


def events_of(answer: bytes) -> list[Record]:
    """The events to send to the target; none when the answer is empty.

    `""`, `{}`, `[]`, null and no answer at all are empty; `[{}]` is one event without content. An
    array is as many events as it has items, anything else is one. Each goes on as it was written:
    numbers keep their digits.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
    """
    if len(answer) > ANSWER_LIMIT:
        raise EnrichedError(f"the enrichment answered {len(answer)} bytes, over {ANSWER_LIMIT}")
    try:
        text = answer.decode().strip()
        value = decode_json(text) if text else None
        if value in _EMPTY:
            return []
        if not isinstance(value, list):
            return [Record(body=text, members=value)]
    except (ValueError, RecursionError) as error:
        raise EnrichedError(f"the enrichment did not answer with JSON: {error}") from error
    return [
        Record(body=item, members=member) for item, member in zip(_items(text), value, strict=True)
    ]


def _items(array: str) -> list[str]:
    """The texts of the items of a JSON array that is known to be valid."""
    items: list[str] = []
    start = 1
    while True:
        start = _BETWEEN.match(array, start).end()  # type: ignore[union-attr]  # it always matches
        if array[start] == "]":
            return items
        _, end = _DECODER.raw_decode(array, start)
        items.append(array[start:end])
        start = end
