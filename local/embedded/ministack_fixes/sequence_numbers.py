"""Sequence numbers grow even when the clock is set back.

MiniStack 1.5.33: `_next_sequence_number` in `services/kinesis.py` and `_next_stream_seq` in
`services/dynamodb.py` number the records by the clock. After the clock was set back, new records
have smaller numbers. Our function takes each of them for a duplicate until the clock has caught up.
Here each number is greater than all before it, also after a restart: the last one is saved.
AWS: "Sequence numbers increase over time and are specific to a shard within a stream."
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html

To report:
    Kinesis, DynamoDB Streams: sequence numbers fall when the clock is set back

    After the clock was set back (by NTP, or on a virtual machine that was restored), new records
    have smaller sequence numbers than older ones. A consumer that compares them drops new records.
    An iterator AFTER_SEQUENCE_NUMBER skips them.
    Expected: each number is greater than all before it, after a restart with PERSIST_STATE=1 too.
    To see it:
        put = {"StreamName": "s", "Data": b"x", "PartitionKey": "p"}
        before = kinesis.put_record(**put)["SequenceNumber"]
        input("Set the clock back by an hour, then press Enter")
        assert kinesis.put_record(**put)["SequenceNumber"] > before  # fails
    Proposed change: take the maximum of the clock's number and the last number plus one, and save
    the last number with the state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, kinesis

State = dict[str, Any]

LAST = "last_sequence_number"


class SequenceNumbers:
    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def take(self) -> str:
        """Return the next number, in MiniStack's format: 20 digits of milliseconds, then 10."""
        with self._lock:
            self._last = max(self._last + 1, int(time.time() * 1000) * 10**10)
            return f"{self._last:030}"

    def saving(self, get_state: Callable[[], State]) -> Callable[[], State]:
        return lambda: get_state() | {LAST: self._last}

    def restoring(self, load: Callable[[State], None]) -> Callable[[State], None]:
        def loaded(state: State) -> None:
            self._last = max(self._last, state.get(LAST, 0))
            load(state)

        return loaded


def apply() -> None:
    numbers = SequenceNumbers()
    kinesis._next_sequence_number = dynamodb._next_stream_seq = numbers.take
    for service in (kinesis, dynamodb):
        service.get_state = numbers.saving(service.get_state)
        service.load_persisted_state = numbers.restoring(service.load_persisted_state)
