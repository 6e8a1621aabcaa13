"""Puts events on a Kinesis stream: PutRecords, and again for what was refused, never reordering."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from inventory_aws import outbox
from inventory_aws.event import Event
from inventory_aws.kinesis_errors import code_and_message, explain, one_line, transient
from inventory_aws.outbox import BATCH, MAX_RECORD_BYTES, Limits
from inventory_aws.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsResultEntryTypeDef

DAMAGED = "the response does not have a result for each record"


class SendingError(Exception):
    """Sending stopped half-way: the stream refused for good, or for too long. The message is one
    line for the user."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record that the stream has taken. The times are seconds of the sender's clock: before the
    call that carried it, and after its answer."""

    event: Event
    shard_id: str
    sequence_number: str
    sent_at: float
    accepted_at: float


@dataclass(frozen=True)
class Refused:
    """`records` of one call were refused or got no answer; they go again after `pause` seconds."""

    records: int
    reason: str
    pause: float


class Sender:
    """Holds the events that are taken and not yet accepted, and sends them call by call.

    `on_accepted` hears of each accepted record, oldest first within a call; `on_refused` of each
    call that has to be repeated in part or whole. `wait` pauses for a number of seconds and may
    return early. The client should not retry on its own, or its back-off adds to this one.
    """

    def __init__(
        self,
        client: KinesisClient,
        stream: str,
        *,
        on_accepted: Callable[[Accepted], None],
        clock: Callable[[], float],
        wait: Callable[[float], object],
        on_refused: Callable[[Refused], object] = lambda refused: None,
        limits: Limits = BATCH,
        retry: Retry = Retry(),  # noqa: B008 - frozen
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._stream = stream
        self._on_accepted = on_accepted
        self._on_refused = on_refused
        self._clock = clock
        self._wait = wait
        self._limits = limits
        self._retry = retry
        self._fraction = fraction
        self._pending: list[Event] = []
        self._oldest_first_sent: float | None = None
        self._failures_in_a_row = 0

    @property
    def pending(self) -> int:
        """How many events are taken and not confirmed by the stream."""
        return len(self._pending)

    @property
    def has_room(self) -> bool:
        """Whether one more may be taken before a call is due."""
        return len(self._pending) < self._limits.window

    def take(self, event: Event) -> None:
        """Take responsibility for `event`: later calls send it until it is accepted.

        Raises ValueError when Kinesis could never take it.
        """
        if event.size > MAX_RECORD_BYTES:
            raise ValueError(f"a record of {event.size} bytes is over the limit of 1 MiB")
        self._pending.append(event)

    def send(self, events: Iterable[Event]) -> None:
        """Take all of `events`; when it returns, the stream has accepted each.

        Raises SendingError as `call` does.
        """
        for event in events:
            while not self.has_room:
                self.call()
            self.take(event)
        self.flush()

    def flush(self) -> None:
        """When it returns, the stream has accepted all that is taken. Raises SendingError."""
        while self._pending:
            self.call()

    def call(self) -> None:
        """One PutRecords call with what may go now; after a refusal, wait before returning.

        Raises SendingError when the stream refuses for good, or has not accepted the oldest event
        within `retry.give_up_after` seconds. Needs a pending event.
        """
        places = outbox.choose(self._pending, self._limits)
        events = [self._pending[place] for place in places]
        sent_at = self._clock()
        if self._oldest_first_sent is None:
            self._oldest_first_sent = sent_at
        results = self._put(events)
        answered_at = self._clock()

        taken = ["ErrorCode" not in result for result in results]
        self._pending = outbox.without(
            self._pending, [place for place, ok in zip(places, taken, strict=True) if ok]
        )
        waited = answered_at - self._oldest_first_sent
        if taken[0]:
            waited, self._oldest_first_sent = 0.0, None
        for event, result, ok in zip(events, results, taken, strict=True):
            if ok:
                shard_id, number = result["ShardId"], result["SequenceNumber"]
                self._on_accepted(Accepted(event, shard_id, number, sent_at, answered_at))
        self._back_off([r for r, ok in zip(results, taken, strict=True) if not ok], waited)

    def _put(self, events: Sequence[Event]) -> Sequence[PutRecordsResultEntryTypeDef]:
        """The result of each event; a call that fails as a whole, for now, refuses each alike."""
        try:
            answer = self._client.put_records(
                StreamName=self._stream,
                Records=[{"Data": e.payload, "PartitionKey": e.partition_key} for e in events],
            )
        except (BotoCoreError, ClientError) as failure:
            if not transient(failure):
                endpoint = self._client.meta.endpoint_url
                raise SendingError(explain(failure, self._stream, endpoint)) from failure
            code, message = code_and_message(failure)
            return [{"ErrorCode": code, "ErrorMessage": message}] * len(events)
        # The SDK takes an answer that was damaged on its way for one that says nothing.
        results = answer.get("Records", [])
        if len(results) != len(events):
            return [{"ErrorCode": "DamagedAnswer", "ErrorMessage": DAMAGED}] * len(events)
        return results

    def _back_off(self, refusals: Sequence[PutRecordsResultEntryTypeDef], waited: float) -> None:
        """Wait if there are `refusals`, the longer the more calls in a row had some.

        `waited` is for how many seconds the oldest event has been sent and not accepted.
        """
        if not refusals:
            self._failures_in_a_row = 0
            return
        why = one_line(refusals[0]["ErrorCode"], refusals[0].get("ErrorMessage", ""))
        if waited >= self._retry.give_up_after:
            raise SendingError(
                f"The stream {self._stream} has not accepted an event for {waited:.0f} s. {why}"
            )
        self._failures_in_a_row += 1
        pause = self._retry.pause(self._failures_in_a_row, self._fraction())
        self._on_refused(Refused(len(refusals), why, pause))
        self._wait(pause)
