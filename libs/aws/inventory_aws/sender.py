"""Send events to a Kinesis stream, and retry what it refuses, without changing their order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from inventory_aws import outbox
from inventory_aws.errors import code_of, explain_stream, is_transient, message_of, one_line
from inventory_aws.outbox import BATCH, MAX_RECORD_BYTES, Event, Limits
from inventory_aws.retry import Backoff

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsResultEntryTypeDef

BACKOFF = Backoff()
DAMAGED = "the response does not have a result for each record"


class SendingError(Exception):
    """The stream refused events for good, or for too long. The message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that the stream has accepted, and the times before and after the call, in seconds of
    the sender's clock."""

    event: Event
    shard_id: str
    sequence_number: str
    sent_at: float
    accepted_at: float


@dataclass(frozen=True)
class Refused:
    """`records` of one call were refused or got no response; they are sent again after `pause`
    seconds."""

    records: int
    reason: str
    pause: float


@dataclass
class Sender:
    """Sends the events that it has taken, call by call, until the stream has accepted them.

    `on_accepted` gets each accepted event, oldest first within a call; `on_refused` each call with
    refused events. `wait` pauses for some seconds and may return early. The sender gives up when
    the oldest event has been refused for `give_up_after` seconds. The client must not retry itself:
    its back-off would add to the sender's.
    """

    client: KinesisClient
    stream: str
    _: KW_ONLY
    on_accepted: Callable[[Accepted], None]
    clock: Callable[[], float]
    wait: Callable[[float], object]
    on_refused: Callable[[Refused], object] = lambda refused: None
    limits: Limits = BATCH
    give_up_after: float = 60.0
    fraction: Callable[[], float] = random.random
    _pending: list[Event] = field(default_factory=list, init=False)
    _oldest_first_sent: float | None = field(default=None, init=False)
    _failures_in_a_row: int = field(default=0, init=False)

    @property
    def pending(self) -> int:
        """How many events are taken and not yet accepted by the stream."""
        return len(self._pending)

    @property
    def has_room(self) -> bool:
        """Whether one more can be taken before a call is due."""
        return len(self._pending) < self.limits.window

    def take(self, event: Event) -> None:
        """Accept responsibility for `event`. Raises ValueError if it is too large for Kinesis."""
        if event.size > MAX_RECORD_BYTES:
            raise ValueError(f"a record of {event.size} bytes is over the limit of 1 MiB")
        self._pending.append(event)

    def send(self, events: Iterable[Event]) -> None:
        """Take the events and return when the stream has accepted all. Raises SendingError."""
        for event in events:
            while not self.has_room:
                self.call()
            self.take(event)
        self.flush()

    def flush(self) -> None:
        """Return when the stream has accepted all events that are taken. Raises SendingError."""
        while self._pending:
            self.call()

    def call(self) -> None:
        """Make one PutRecords call; wait if some events are refused. Needs a pending event.

        Raises SendingError.
        """
        places = outbox.choose(self._pending, self.limits)
        events = [self._pending[place] for place in places]
        sent_at = self.clock()
        if self._oldest_first_sent is None:
            self._oldest_first_sent = sent_at
        results = list(zip(places, events, self._put(events), strict=True))
        answered_at = self.clock()

        accepted = [place for place, _, result in results if "ErrorCode" not in result]
        self._pending = outbox.without(self._pending, accepted)
        waited = answered_at - self._oldest_first_sent
        if 0 in accepted:
            waited, self._oldest_first_sent = 0.0, None
        for _, event, result in results:
            if "ErrorCode" not in result:
                shard_id, number = result["ShardId"], result["SequenceNumber"]
                self.on_accepted(Accepted(event, shard_id, number, sent_at, answered_at))
        self._back_off([result for _, _, result in results if "ErrorCode" in result], waited)

    def _put(self, events: Sequence[Event]) -> Sequence[PutRecordsResultEntryTypeDef]:
        """The result of each event; a call that fails for now refuses all."""
        try:
            answer = self.client.put_records(
                StreamName=self.stream,
                Records=[{"Data": e.payload, "PartitionKey": e.partition_key} for e in events],
            )
        except (BotoCoreError, ClientError) as error:
            if not is_transient(error):
                endpoint = self.client.meta.endpoint_url
                raise SendingError(explain_stream(error, self.stream, endpoint)) from error
            return _refusal(code_of(error), message_of(error)) * len(events)
        # The SDK takes an answer that was damaged on its way for one that says nothing.
        results = answer.get("Records", [])
        if len(results) != len(events):
            return _refusal("DamagedAnswer", DAMAGED) * len(events)
        return results

    def _back_off(self, refusals: Sequence[PutRecordsResultEntryTypeDef], waited: float) -> None:
        """Wait if there are `refusals`, the longer the more calls in a row had some.

        `waited` says for how many seconds the oldest event has been refused.
        """
        if not refusals:
            self._failures_in_a_row = 0
            return
        why = one_line(refusals[0]["ErrorCode"], refusals[0].get("ErrorMessage", ""))
        if waited >= self.give_up_after:
            raise SendingError(
                f"The stream {self.stream} has not accepted an event for {waited:.0f} s. {why}"
            )
        self._failures_in_a_row += 1
        pause = BACKOFF.pause(self._failures_in_a_row, self.fraction())
        self.on_refused(Refused(len(refusals), why, pause))
        self.wait(pause)


def _refusal(code: str, message: str) -> list[PutRecordsResultEntryTypeDef]:
    return [{"ErrorCode": code, "ErrorMessage": message}]
