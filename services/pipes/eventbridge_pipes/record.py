"""One record on its way through a pipe, its payload decoded once; shards, and positions in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_NOT_DECODED: Any = object()


@dataclass(frozen=True)
class Payload:
    """The member of a record that may hold JSON, for patterns and paths to look into.

    `text` makes the JSON of the member's value; it raises ValueError when that is not possible.
    """

    member: str
    text: Callable[[str], str]


@dataclass(slots=True, eq=False)
class Record:
    """A record of a source, or an event that an enrichment returned.

    `body` is its JSON, which an untransformed record is delivered as; that of a source is ASCII.
    `members` is the same as a value, the payload still text. A failed record is named by its
    `event_id`, the eventID of a stream's record or the messageId of a message, or by its
    `sequence_number`, which a message does not have. `arrived` is its approximate arrival in
    seconds since the epoch. Records that share a `partition_key` keep their order. `receipt` is
    what it takes to delete a message.
    """

    event_id: str = ""
    sequence_number: str = ""
    arrived: float = 0.0
    body: str = ""
    partition_key: str = ""
    members: Any = None
    payload: Payload | None = None
    receipt: str = ""
    _decoded: Any = field(default=_NOT_DECODED, init=False, repr=False)

    @property
    def decoded(self) -> Any:
        """`members` as patterns and paths see them: a payload that holds JSON is that JSON."""
        if self._decoded is _NOT_DECODED:
            self._decoded = self._decode()
        return self._decoded

    @property
    def has_json_payload(self) -> bool:
        return self.decoded is not self.members

    @property
    def size(self) -> int:
        """The bytes that a source's record adds to a batch: its own and a comma (or bracket)."""
        return len(self.body) + 1

    def _decode(self) -> Any:
        if self.payload is None:
            return self.members
        name = self.payload.member
        try:
            text = self.payload.text(self.members[name])
            return {**self.members, name: decode_json(text)}
        except (ValueError, RecursionError):
            return self.members


def json_array(bodies: Iterable[str]) -> str:
    """The batch of records with these JSON texts, as a function receives it."""
    return f"[{','.join(bodies)}]"


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


# json.loads would make a decoder of its own for each payload.
decode_json = json.JSONDecoder(parse_constant=_refuse_constant).decode


@dataclass(frozen=True)
class Shard:
    """A shard as its stream lists it: a child of a split has one parent, of a merge two."""

    id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Position:
    """After a sequence number, at a time (epoch seconds), after the newest record, or the oldest.

    The first of `after`, `at` and `latest` that is set counts; without any, it is the oldest.
    """

    after: str | None = None
    at: float | None = None
    latest: bool = False

    def __str__(self) -> str:
        if self.after is not None:
            return f"the record after {self.after}"
        if self.at is not None:
            return f"what arrived since {datetime.fromtimestamp(self.at, UTC).isoformat()}"
        return "the next new record" if self.latest else "the oldest record"


OLDEST = Position()
LATEST = Position(latest=True)
