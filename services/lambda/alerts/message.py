"""The message of an alert: its subject, its body, and the attributes to filter by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from alerts.occurrence import Kind, Occurrence

MAX_SAMPLES = 10

_SUBJECTS = {
    Kind.REJECTED: ("event rejected", "events rejected"),
    Kind.DEAD_LETTER: ("dead letter", "dead letters"),
    Kind.LOW_STOCK: ("product low in stock", "products low in stock"),
    Kind.HIGH_STOCK: ("product over its stock limit", "products over their stock limit"),
}


def message_of(occurrences: Sequence[Occurrence]) -> dict[str, Any]:
    """Return what SNS publishes about occurrences of one kind and reason.

    Subject and body are ASCII: people read them in e-mails, too.
    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    kind, reason, count = occurrences[0].kind, occurrences[0].reason, len(occurrences)
    times = [occurrence.at for occurrence in occurrences]
    samples = [sample for each in occurrences for sample in each.samples][:MAX_SAMPLES]
    body = {
        "alert": kind,
        "reason": reason,
        "count": count,
        "first_at": _iso(min(times)),
        "last_at": _iso(max(times)),
        "samples": [{**sample, "at": _iso(sample["at"])} for sample in samples],
    }
    subject = f"{count} {_SUBJECTS[kind][count != 1]}"
    return {
        "Subject": subject if reason == kind else f"{subject}: {reason}"[:99],
        "Message": json.dumps(body, indent=2),
        "MessageAttributes": {
            "alert": {"DataType": "String", "StringValue": kind},
            "reason": {"DataType": "String", "StringValue": reason},
            "count": {"DataType": "Number", "StringValue": str(count)},
            **_ids("product_id", samples),
            **_ids("event_id", samples),
        },
    }


def _ids(name: str, samples: Sequence[Any]) -> dict[str, Any]:
    """A filter policy matches an array if it matches an element. An empty array matches none.
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """
    ids = list(dict.fromkeys(s[name] for s in samples if s.get(name) is not None))
    return {name: {"DataType": "String.Array", "StringValue": json.dumps(ids)}} if ids else {}


def _iso(epoch: float) -> str:
    moment = datetime.fromtimestamp(epoch, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
