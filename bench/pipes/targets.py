"""What the records go to, and how their arrival is seen there."""

from __future__ import annotations

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple, Protocol

from bench.pipes.calls import Calls
from bench.pipes.stand import ROLE, Stand, arn
from eventbridge_pipes.record import Record, json_array

PATIENCE = 120.0
LOOK = 0.05


class Arrival(NamedTuple):
    """`records` together at `time` (seconds since the epoch), the first of them `first`."""

    time: float
    records: int
    first: str = ""


class Target(Protocol):
    arn: str

    def request(self, records: Sequence[Record]) -> bytes:
        """What a call with a batch of `records` carries."""
        ...

    def take(self, calls: Calls, request: bytes) -> None:
        """Make that call."""
        ...

    def clear(self) -> None:
        """Forget what has arrived."""
        ...

    def arrivals(self, count: int) -> list[Arrival]:
        """Those of the next `count` records, once they are all there."""
        ...


# It prints a line since MiniStack waits for one, up to 50 ms. Where it is told to, it waits.
_SOURCE = textwrap.dedent(
    """
    import os, time

    arrivals = os.open(os.environ["ARRIVALS"], os.O_WRONLY | os.O_APPEND)

    def handler(event, context):
        now = time.time()
        print("invoked")
        if "wait" in event:
            return time.sleep(event["wait"])
        records = event["Records"] if "Records" in event else event
        first = records[0].get("kinesis", records[0])["sequenceNumber"]
        os.write(arrivals, f"{now!r} {len(records)} {first}\\n".encode())
    """
)


class Function:
    """A Lambda function that does nothing but write down when it was invoked."""

    NAME = "nothing"

    def __init__(self, stand: Stand) -> None:
        self.arn = arn("lambda", f"function:{self.NAME}")
        self._stand = stand
        self._file = stand.folder / "arrivals"
        self._file.touch()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("handler.py", _SOURCE)
        stand.client("lambda").create_function(
            FunctionName=self.NAME,
            Runtime="python3.11",
            Role=ROLE,
            Handler="handler.handler",
            Timeout=60,
            Code={"ZipFile": packed.getvalue()},
            Environment={"Variables": {"ARRIVALS": str(self._file)}},
        )

    def warm_up(self, instances: int) -> None:
        """Have as many at hand: the time that they take to start is the emulator's."""
        with ThreadPoolExecutor(instances) as pool:
            for _ in pool.map(self._hold, range(instances)):
                pass

    def _hold(self, _: int) -> None:
        self._stand.calls().invoke(self.NAME, b'{"wait": 2}')

    def request(self, records: Sequence[Record]) -> bytes:
        return json_array(record.body for record in records).encode()

    def take(self, calls: Calls, request: bytes) -> None:
        calls.invoke(self.NAME, request)

    def clear(self) -> None:
        with self._file.open("w"):
            pass

    def arrivals(self, count: int) -> list[Arrival]:
        deadline = time.monotonic() + PATIENCE
        found: list[Arrival] = []
        with self._file.open() as lines:
            while (missing := count - sum(arrival.records for arrival in found)) > 0:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{missing} of {count} records did not arrive")
                time.sleep(LOOK)
                found += [_arrival(line) for line in lines]
        return found


def _arrival(line: str) -> Arrival:
    moment, count, first = line.split()
    return Arrival(float(moment), int(count), first)


class Queue:
    """An SQS queue that nobody reads."""

    NAME = "sink"

    def __init__(self, stand: Stand) -> None:
        self.arn = arn("sqs", self.NAME)
        self._sqs = stand.client("sqs")
        self._calls = stand.calls()
        self._url = self._sqs.create_queue(QueueName=self.NAME)["QueueUrl"]

    def request(self, records: Sequence[Record]) -> bytes:
        entries = [{"Id": str(n), "MessageBody": r.body} for n, r in enumerate(records)]
        return json.dumps({"QueueUrl": self._url, "Entries": entries}).encode()

    def take(self, calls: Calls, request: bytes) -> None:
        calls.send_batch(request)

    def clear(self) -> None:
        self._sqs.purge_queue(QueueUrl=self._url)

    def arrivals(self, count: int) -> list[Arrival]:
        """As seen by looking at how many there are, twenty times a second.

        What the last look saw is left out: it came some time before.
        """
        deadline = time.monotonic() + PATIENCE
        seen = [(time.time(), 0)]
        while seen[-1][1] < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count - seen[-1][1]} of {count} records did not arrive")
            time.sleep(LOOK)
            seen.append((time.time(), self._calls.count_messages(self._url)))
        return [Arrival(then, now - before) for (_, before), (then, now) in pairwise(seen[:-1])]


def rate(arrivals: Iterable[Arrival], since: float | None = None) -> float:
    """Records per second until the last arrival, since a time or else since the first arrival.

    What came first was under way before the clock ran, then, and does not count.
    """
    first, *others = sorted(arrival for arrival in arrivals if arrival.records)
    counted, begun = ([first, *others], since) if since else (others, first.time)
    return sum(arrival.records for arrival in counted) / (counted[-1].time - begun)
