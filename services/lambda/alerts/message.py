"""The message of an alert: its subject, its body, and the attributes to filter by. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from alerts.cause import MAX_SAMPLES, Cause, Kind, Sample, Waiting

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    Attributes = dict[str, MessageAttributeValueTypeDef]

MAX_BYTES = 256 * 1024
"""Of body and attributes. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

_SUBJECTS = {
    Kind.REJECTED: ("event rejected", "events rejected"),
    Kind.DEAD_LETTER: ("dead letter", "dead letters"),
    Kind.LOW_STOCK: ("product low in stock", "products low in stock"),
    Kind.HIGH_STOCK: ("product over its stock limit", "products over their stock limit"),
}


@dataclass(frozen=True)
class Message:
    """What is published: `subject` is ASCII without control characters, under 100 of them."""

    subject: str
    body: str
    attributes: Attributes

    @property
    def size(self) -> int:
        """Bytes, as SNS counts them."""
        texts = [self.body]
        for name, value in self.attributes.items():
            texts += [name, value["DataType"], value.get("StringValue", "")]
        return sum(len(text.encode()) for text in texts)


def message_of(cause: Cause, waiting: Waiting) -> Message:
    """The message, with as many of the samples as it may have and as fit."""
    messages = _with_fewer_and_fewer(cause, waiting)
    return next(message for message in messages if message.size <= MAX_BYTES)


def _with_fewer_and_fewer(cause: Cause, waiting: Waiting) -> Iterator[Message]:
    for most in range(min(len(waiting.samples), MAX_SAMPLES), -1, -1):
        samples = waiting.samples[:most]
        yield Message(
            _subject(cause, waiting.count),
            _body(cause, waiting, samples),
            _attributes(cause, waiting.count, samples),
        )


def _subject(cause: Cause, count: int) -> str:
    one, many = _SUBJECTS[cause.kind]
    what = f"{count} {one if count == 1 else many}"
    told = what if cause.reason == cause.kind else f"{what}: {cause.reason}"
    return told if len(told) < 100 else f"{told[:96]}..."


def _body(cause: Cause, waiting: Waiting, samples: Sequence[Sample]) -> str:
    """JSON in ASCII, on several lines: it is read in e-mails too."""
    body = {
        "alert": cause.kind,
        "reason": cause.reason,
        "count": waiting.count,
        "first_at": _iso(waiting.first_at),
        "last_at": _iso(waiting.last_at),
        "samples": [_readable(sample) for sample in samples],
    }
    return json.dumps(body, indent=2)


def _readable(sample: Sample) -> dict[str, Any]:
    at = sample.get("at")
    times = {"at": _iso(at)} if isinstance(at, int | float) else {}
    return {**sample, **times}


def _attributes(cause: Cause, count: int, samples: Sequence[Sample]) -> Attributes:
    """An array matches a filter policy when any of its elements does; an empty one matches none.
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """
    attributes: Attributes = {
        "alert": {"DataType": "String", "StringValue": cause.kind},
        "reason": {"DataType": "String", "StringValue": cause.reason},
        "count": {"DataType": "Number", "StringValue": str(count)},
    }
    for name in ("product_id", "event_id"):
        ids = list(dict.fromkeys(s[name] for s in samples if s.get(name) is not None))
        if ids:
            attributes[name] = {"DataType": "String.Array", "StringValue": json.dumps(ids)}
    return attributes


def _iso(epoch: float) -> str:
    moment = datetime.fromtimestamp(epoch, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
