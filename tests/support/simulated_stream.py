"""A stream that refuses, fails and forgets to answer as a test wants it: no emulator does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from inventory_aws.outbox import Event


@dataclass(frozen=True)
class Refuse:
    """The records of a call for which `pattern`, repeated, is true are refused."""

    pattern: Sequence[bool]


class Unreachable:
    """The call never arrives."""


class AnswerLost:
    """The call is carried out, and its answer is lost."""


class AnswerDamaged:
    """The call is carried out, and its answer says nothing."""


Fault = Refuse | Unreachable | AnswerLost | AnswerDamaged


class SimulatedStream:
    """Has the face of a Kinesis client. Meets one of `faults` per call until there are no more;
    within a call it takes records in any order, as Kinesis may."""

    meta = SimpleNamespace(endpoint_url="https://kinesis.example")

    def __init__(self, faults: Iterable[Fault] = (), shuffle_seed: int = 0) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.payloads: list[bytes] = []
        self._faults = iter(faults)
        self._shuffle = random.Random(shuffle_seed).shuffle

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> Any:  # noqa: N803
        self.calls.append(Records)
        fault = next(self._faults, Refuse([False]))
        if isinstance(fault, Unreachable):
            raise EndpointConnectionError(endpoint_url=self.meta.endpoint_url)
        pattern = fault.pattern if isinstance(fault, Refuse) else [False]
        refused = [pattern[n % len(pattern)] for n in range(len(Records))]
        order = [n for n in range(len(Records)) if not refused[n]]
        self._shuffle(order)
        numbers: dict[int, str] = {}
        for n in order:
            numbers[n] = str(len(self.payloads))
            self.payloads.append(Records[n]["Data"])
        if isinstance(fault, AnswerLost):
            raise ReadTimeoutError(endpoint_url=self.meta.endpoint_url)
        if isinstance(fault, AnswerDamaged):
            return {}
        return {
            "Records": [
                {"ShardId": "shardId-000000000000", "SequenceNumber": numbers[n]}
                if n in numbers
                else {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow"}
                for n in range(len(Records))
            ]
        }


class FakeClock:
    """Time that passes when something waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def event(product: str, number: int, size: int = 0) -> Event:
    """An event of `product` whose payload is `number`, padded to `size` bytes."""
    return Event(f"{product}:{number}".encode().ljust(size), product, str(number), "product_added")


def client_error(code: str, status: int = 400, message: str = "") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HostId": "",
                "RequestId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "PutRecords",
    )
