"""The pipe's targets that are measured, and when records arrive there."""

from __future__ import annotations

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

from bench.figures import until
from bench.pipes.servers import ROLE, Calls, Servers, arn
from eventbridge_pipes.record import Record, json_array

ARRIVAL_SECONDS = 120.0
LOOK_SECONDS = 0.05


class Arrival(NamedTuple):
    """`records` together at `time` (seconds since the epoch), the first of them `first`."""

    time: float
    records: int
    first: str = ""


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

    def __init__(self, servers: Servers) -> None:
        self.arn = arn("lambda", f"function:{self.NAME}")
        self._servers = servers
        self._file = servers.folder / "arrivals"
        self._file.touch()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("handler.py", _SOURCE)
        servers.client("lambda").create_function(
            FunctionName=self.NAME,
            Runtime="python3.11",
            Role=ROLE,
            Handler="handler.handler",
            Timeout=60,
            Code={"ZipFile": packed.getvalue()},
            Environment={"Variables": {"ARRIVALS": str(self._file)}},
        )

    def warm_up(self, instances: int) -> None:
        """Start so many instances: the time that they take is the emulator's."""
        with ThreadPoolExecutor(instances) as pool:
            for _ in pool.map(self._hold, range(instances)):
                pass

    def _hold(self, _: int) -> None:
        self._servers.calls().invoke(self.NAME, b'{"wait": 2}')

    def request(self, records: Sequence[Record]) -> bytes:
        """Return the payload of a call with a batch of records."""
        return json_array(record.body for record in records).encode()

    def take(self, calls: Calls, request: bytes) -> None:
        calls.invoke(self.NAME, request)

    def clear(self) -> None:
        with self._file.open("w"):
            pass

    def arrivals(self, count: int) -> list[Arrival]:
        """Return those of the next `count` records, once they are all there."""
        found: list[Arrival] = []
        with self._file.open() as lines:

            def complete() -> bool:
                for line in lines:
                    moment, records, first = line.split()
                    found.append(Arrival(float(moment), int(records), first))
                return sum(arrival.records for arrival in found) >= count

            until(complete, ARRIVAL_SECONDS, LOOK_SECONDS)
        return found


class Queue:
    """An SQS queue that nobody reads."""

    NAME = "sink"

    def __init__(self, servers: Servers) -> None:
        self.arn = arn("sqs", self.NAME)
        self._sqs = servers.client("sqs")
        self._calls = servers.calls()
        self._url = self._sqs.create_queue(QueueName=self.NAME)["QueueUrl"]

    def request(self, records: Sequence[Record]) -> bytes:
        entries = [{"Id": str(n), "MessageBody": r.body} for n, r in enumerate(records)]
        return json.dumps({"QueueUrl": self._url, "Entries": entries}).encode()

    def take(self, calls: Calls, request: bytes) -> None:
        answer = calls.sqs("SendMessageBatch", request)
        assert not answer.get("Failed"), answer

    def clear(self) -> None:
        self._sqs.purge_queue(QueueUrl=self._url)

    def arrivals(self, count: int) -> list[Arrival]:
        """Look twenty times a second how many there are.

        What the last look saw is left out: it came some time before.
        """
        name = "ApproximateNumberOfMessages"
        request = json.dumps({"QueueUrl": self._url, "AttributeNames": [name]}).encode()
        seen = [(time.time(), 0)]

        def complete() -> bool:
            messages = int(self._calls.sqs("GetQueueAttributes", request)["Attributes"][name])
            seen.append((time.time(), messages))
            return messages >= count

        until(complete, ARRIVAL_SECONDS, LOOK_SECONDS)
        return [Arrival(then, now - before) for (_, before), (then, now) in pairwise(seen[:-1])]


Target = Function | Queue


def rate(arrivals: Iterable[Arrival], since: float | None = None) -> float:
    """Records per second until the last arrival, since a time or else since the first arrival.

    What came first was under way before the clock ran, then, and does not count.
    """
    first, *others = sorted(arrival for arrival in arrivals if arrival.records)
    counted, begun = ([first, *others], since) if since else (others, first.time)
    return sum(arrival.records for arrival in counted) / (counted[-1].time - begun)
