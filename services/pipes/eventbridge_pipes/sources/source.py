"""What the kinds of sources share: above all, what a stream offers to its readers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, DirectClient
from eventbridge_pipes.pattern import RecordSource
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Position, Record, Shard

ADDED = frozenset({"eventSourceARN", "eventSourceKey", "invokeIdentityArn"})
ADDED_UNLESS_SENT = ADDED | {"awsRegion", "eventID", "eventName", "eventSource", "eventVersion"}
"""The members that a pipe adds to records; DynamoDB's own records bring the second ones."""


Members = Mapping[str, Any]
"""Parameters of the API, or the members of an answer, by their names."""

Problems = Iterator[tuple[str, str]]
"""The name of a parameter that is not valid, and the message."""


class SourceError(Exception):
    """The stream cannot be read at this moment; trying again may help."""


class ThrottledError(SourceError):
    """The shard is read more often than the service allows."""


class ExpiredIteratorError(SourceError):
    """The iterator is too old, or the stream does not know it any more."""


class SourceNotFoundError(SourceError):
    """There is no such stream or shard."""


class PageTooLargeError(SourceError):
    """The records that were asked for are too large for one answer."""


class PositionLostError(SourceError):
    """The stream does not know the sequence number that reading should continue after."""


class UnusableError(Exception):
    """The resource exists, but a pipe cannot use it; the text says why and what to do."""


@dataclass(frozen=True)
class Page:
    """The result of one read. `next_iterator` is None at the end of a closed shard.

    `behind`: there are more records to read right now.
    """

    records: list[Record]
    next_iterator: str | None
    behind: bool


PendingPage = Callable[[float | None], Page]
"""A page that was requested: a call waits for it, for at most so many seconds of silence.

None is the usual time. Raises SourceError, and ExpiredIteratorError if a new iterator is needed.
"""


class ShardSource(Protocol):
    """One shard of a stream. Both methods raise SourceError."""

    def iterator(self, position: Position) -> str:
        """Raises PositionLostError when the stream does not know the position."""

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        """Request at most `limit` records, without waiting: several shards may be read at once."""


class Stream(Protocol):
    """A stream of one of the services. All methods except `shard` raise SourceError."""

    def created(self) -> float:
        """When the stream was created, in epoch seconds: another time is another stream."""

    def now(self) -> float:
        """The time of the service's clock (see `time_of`)."""

    def shards(self) -> list[Shard]:
        """All shards that the stream still has, including closed ones."""

    def shard(self, shard_id: str) -> ShardSource: ...


@dataclass(frozen=True, kw_only=True)
class SourceKind(RecordSource):
    """All that is known about a kind of source."""

    resource: str
    """A regular expression for the part of an ARN that follows the account."""
    label: str
    noun: str
    describe: Callable[[Clients, Arn], Any]
    """Asks the service for the source; for a stream, returns its time of creation in seconds since
    the epoch. Raises what boto3 raises, and UnusableError."""
    parameters: str
    """The member of SourceParameters that belongs to it."""
    default_batch_size: int
    violations: Callable[[Arn, Members], Problems]
    """Checks the parameters, given the ARN of the source."""
    stream: Callable[[Pipe, Clients], Stream] | None = None
    """Makes the stream that a pipe reads; None for a queue."""
    batch_info: str = ""
    """The member of a dead-letter message that says which records it is about."""


AGE = "MaximumRecordAgeInSeconds"
LEAST_RECORD_AGE = 60
"""In seconds. The model's range begins with -1, and Lambda's own documentation has the gap:
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"""


def stream_violations(_: Arn, parameters: Members) -> Problems:
    """The parameters of a stream have a StartingPosition: the model requires it."""
    timestamp_given = "StartingPositionTimestamp" in parameters
    if timestamp_given != (parameters["StartingPosition"] == "AT_TIMESTAMP"):
        needed = "StartingPosition AT_TIMESTAMP needs StartingPositionTimestamp"
        yield "StartingPositionTimestamp", f"{needed}, and no other takes it"
    age = parameters.get(AGE, -1)
    if 0 <= age < LEAST_RECORD_AGE:
        yield (
            AGE,
            f"{AGE} must be -1, for no limit, or from {LEAST_RECORD_AGE} to 604800, not {age}",
        )


@dataclass(frozen=True)
class AwsShard:
    """One shard, of Kinesis or of a table's stream (see `ShardSource`)."""

    client: DirectClient
    shard: Members
    """The arguments that name it."""
    start: Callable[[Position], Members]
    """The arguments of GetShardIterator that say where to start."""
    read: Members
    """The arguments of GetRecords besides the iterator and the limit."""
    record: Callable[[Members], Record]
    unknown: str
    """The code of the error that the stream has not, or no longer, what a call asks for."""
    page_records: int = 10_000
    """The most that one GetRecords gives."""

    def iterator(self, position: Position) -> str:
        with translated(self.unknown, PositionLostError):
            arguments = {**self.shard, **self.start(position)}
            answer = self.client.call("GetShardIterator", arguments)
        iterator: str = answer["ShardIterator"]
        return iterator

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        limit = min(limit, self.page_records)
        arguments = {**self.read, "ShardIterator": iterator, "Limit": limit}
        with translated():
            pending = self.client.begin("GetRecords", arguments)

        def page(timeout: float | None) -> Page:
            # A new iterator shows whether it is the position itself that is unknown.
            with translated(self.unknown, ExpiredIteratorError):
                answer = pending(timeout)
            records = [self.record(raw) for raw in answer["Records"]]
            # DynamoDB does not say how far behind a reader is: a full page means there is more.
            behind = len(records) >= limit or (answer.get("MillisBehindLatest") or 0) > 0
            return Page(records, answer.get("NextShardIterator"), behind)

        return page


def listed_shard(raw: Members) -> Shard:
    parents = (raw.get("ParentShardId"), raw.get("AdjacentParentShardId"))
    return Shard(raw["ShardId"], tuple(parent for parent in parents if parent))


@contextmanager
def translated(code: str = "", meaning: type[SourceError] = SourceError) -> Iterator[None]:
    """Raise the SourceError that an error of a call means; `code` has a `meaning` in this call."""
    try:
        yield
    except errors.CallError as error:
        kind, reason = SourceError, errors.summary(error)
        found = errors.without_prefix(errors.code_of(error))
        if errors.is_throttling(error):
            kind = ThrottledError
        elif isinstance(error, errors.AnswerTooLargeError):
            kind = PageTooLargeError
        elif found and found == code:
            kind = meaning
        elif found == "ExpiredIteratorException":
            kind = ExpiredIteratorError
        elif errors.is_absent(error):
            kind = SourceNotFoundError
        if kind is PositionLostError:
            reason += " (if records have expired, some may have gone unread)"
        raise kind(reason) from error


def time_of(answer: Members) -> float:
    """The time of the service's clock when it answered, in epoch seconds, rounded down.

    It is never later than our clock, which also stands in for an answer without a date.
    """
    ours = float(int(time.time()))
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return min(ours, parsedate_to_datetime(date).timestamp()) if date else ours
    except ValueError:
        return ours


def in_order(members: Members, names: Sequence[str]) -> dict[str, Any]:
    """`members` with those of `names` first; members that AWS may add one day follow."""
    return {name: members[name] for name in names if name in members} | dict(members)


def uncapitalized(members: Members) -> dict[str, Any]:
    """`members` as events have them; the API's model spells their names with capitals."""
    return {name[0].lower() + name[1:]: value for name, value in members.items()}


compact_json = json.JSONEncoder(separators=(",", ":")).encode
