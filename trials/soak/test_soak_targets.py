"""The targets of the soak fail records as a function does that cares for their order."""

from __future__ import annotations

import json
from random import Random

from soak.answers import Request
from soak.faults import Fault
from soak.stream import Put, Stream
from soak.targets import Function, draw, with_followers


def put(stream: Stream, key: str, poison: bool = False) -> Put:
    return stream.put(key, json.dumps({"poison": poison}).encode())


def invoke(function: Function, records: list[Put], fault: Fault | None = None) -> set[int]:
    """The numbers that the function took; poison and faults apart, all of them."""
    events = [
        {
            "sequenceNumber": str(record.number),
            "eventID": f"{record.shard}:{record.number}",
            "data": "",
            "partitionKey": record.key,
            "approximateArrivalTimestamp": record.arrived,
        }
        for record in records
    ]
    function.answer(Request("lambda", "Invoke", json.dumps(events).encode(), life=0), fault)
    return set(function.calls[-1].taken)


def test_what_follows_a_failed_record_with_its_key_fails_too() -> None:
    stream = Stream(1)
    a, b, again = put(stream, "a"), put(stream, "b"), put(stream, "a")
    assert with_followers([a, b, again], {a.number}) == {a.number, again.number}
    assert with_followers([a, b, again], {again.number}) == {again.number}
    assert with_followers([a, b], set()) == set()


def test_no_record_is_drawn_twice() -> None:
    stream = Stream(1)
    records = [put(stream, "a") for _ in range(5)]
    before: set[int] = set()
    drawn = [number for _ in range(10) for number in draw(records, before, Random(1))]
    assert sorted(drawn) == [record.number for record in records]


def test_a_function_error_takes_nothing_and_meets_a_record_once() -> None:
    stream = Stream(1)
    records = [put(stream, "a"), put(stream, "b")]
    function = Function(stream, "seed")
    assert invoke(function, records, Fault.ERROR) == set()
    assert invoke(function, records, Fault.ERROR) == {record.number for record in records}


def test_poison_is_never_taken() -> None:
    stream = Stream(1)
    poison = [put(stream, f"{i}", poison=True) for i in range(2)]
    good = put(stream, "good")
    function = Function(stream, "seed")
    for record in poison:
        taken = invoke(function, [record, good])
        assert record.number not in taken
