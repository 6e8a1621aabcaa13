from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count, repeat
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_aws.outbox import BATCH, MEBIBYTE, Event, Limits
from inventory_aws.sender import Accepted, Refused, Sender, SendingError
from simulated_stream import (
    AnswerDamaged,
    AnswerLost,
    FakeClock,
    Fault,
    Refuse,
    SimulatedStream,
    Unreachable,
    client_error,
    event,
)

NEVER = float("inf")

taken = st.lists(st.sampled_from("ABCD"), max_size=40).map(
    lambda keys: [event(key, n) for n, key in enumerate(keys)]
)
some_limits = st.builds(
    Limits, records=st.integers(1, 5), bytes=st.just(100), window=st.integers(1, 12)
)
refusals = st.builds(Refuse, st.lists(st.booleans(), min_size=1, max_size=5))
clear_faults = st.lists(refusals | st.builds(Unreachable), max_size=20)
unanswered = st.builds(Unreachable) | st.builds(AnswerLost) | st.builds(AnswerDamaged)
any_faults = st.lists(refusals | unanswered, max_size=20)


def by_product(payloads: Sequence[bytes]) -> dict[bytes, list[int]]:
    """The numbers of the events of each product, in the order of `payloads`."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for payload in payloads:
        product, _, number = payload.partition(b":")
        found[product].append(int(number))
    return found


class Run:
    """A sender on a simulated stream, and all that it reported."""

    def __init__(
        self, stream: SimulatedStream, limits: Limits = BATCH, give_up_after: float = NEVER
    ):
        self.stream = stream
        self.clock = FakeClock()
        self.accepted: list[Accepted] = []
        self.refused: list[Refused] = []
        self.sender = Sender(
            cast(Any, stream),
            "orders",
            on_accepted=self.accepted.append,
            on_refused=self.refused.append,
            clock=self.clock,
            wait=self.clock.wait,
            limits=limits,
            give_up_after=give_up_after,
            fraction=lambda: 0.0,
        )


@given(events=taken, limits=some_limits, faults=clear_faults, shuffle_seed=st.integers(0, 9))
def test_whatever_is_refused_each_event_arrives_once_and_in_order(
    events: list[Event], limits: Limits, faults: list[Fault], shuffle_seed: int
) -> None:
    run = Run(SimulatedStream(faults, shuffle_seed), limits)
    run.sender.send(events)
    assert run.sender.pending == 0
    assert by_product(run.stream.payloads) == by_product([e.payload for e in events])
    reported = [accepted.event.payload for accepted in run.accepted]
    assert by_product(reported) == by_product(run.stream.payloads)


@given(events=taken, limits=some_limits, faults=any_faults, shuffle_seed=st.integers(0, 9))
def test_when_answers_are_lost_copies_come_before_anything_newer_of_the_product(
    events: list[Event], limits: Limits, faults: list[Fault], shuffle_seed: int
) -> None:
    run = Run(SimulatedStream(faults, shuffle_seed), limits)
    run.sender.send(events)
    arrived = by_product(run.stream.payloads)
    assert {product: sorted(set(numbers)) for product, numbers in arrived.items()} == by_product(
        [e.payload for e in events]
    )
    assert all(numbers == sorted(numbers) for numbers in arrived.values())
    assert sorted(int(a.event.event_id or "") for a in run.accepted) == list(range(len(events)))


@given(events=taken, limits=some_limits, faults=any_faults)
def test_no_call_breaks_a_limit_or_holds_a_product_twice(
    events: list[Event], limits: Limits, faults: list[Fault]
) -> None:
    run = Run(SimulatedStream(faults), limits)
    run.sender.send(events)
    for call in run.stream.calls:
        keys = [record["PartitionKey"] for record in call]
        size = sum(len(r["Data"]) + len(r["PartitionKey"].encode()) for r in call)
        assert 1 <= len(call) <= limits.records
        assert len(set(keys)) == len(keys)
        assert size <= limits.bytes


def test_twenty_thousand_events_of_ten_thousand_products_fill_their_calls() -> None:
    run = Run(SimulatedStream())
    run.sender.send(event(f"P{n * 7919 % 10_000}", n) for n in range(20_000))
    assert len(run.stream.calls) == 40


def test_one_refused_product_does_not_hold_up_the_others() -> None:
    run = Run(SimulatedStream([Refuse([True, False])] * 3), Limits(2, 1000, window=8))
    run.sender.send([event("A", 0), *[event(f"B{n}", n) for n in range(3)]])
    # Each call offers A again, beside the next of the others.
    assert [[r["PartitionKey"] for r in call] for call in run.stream.calls] == [
        ["A", "B0"],
        ["A", "B1"],
        ["A", "B2"],
        ["A"],
    ]


def test_it_reports_where_a_record_went_and_when() -> None:
    run = Run(SimulatedStream([Refuse([True])]))
    run.sender.send([event("A", 0)])
    (accepted,) = run.accepted
    assert accepted.event == event("A", 0)
    assert (accepted.shard_id, accepted.sequence_number) == ("shardId-000000000000", "0")
    assert accepted.sent_at == accepted.accepted_at == run.clock.now == 0.05


def test_the_wait_grows_with_each_refusal_and_resets_after_a_clean_call() -> None:
    refuse, take = Refuse([True]), Refuse([False])
    run = Run(SimulatedStream([refuse, Unreachable(), refuse, take, refuse]))
    run.sender.send([event("A", 0), event("A", 1)])
    assert run.clock.waits == [0.05, 0.1, 0.2, 0.05]
    assert [refused.records for refused in run.refused] == [1, 1, 1, 1]
    assert run.refused[0].reason == "ProvisionedThroughputExceededException: slow"
    assert run.refused[1].reason.startswith("EndpointConnectionError: Could not connect")


def test_it_gives_up_when_nothing_is_taken_for_too_long() -> None:
    run = Run(SimulatedStream(repeat(Unreachable())), give_up_after=30)
    with pytest.raises(SendingError, match=r"orders has not accepted an event for 3\d s. Endpoint"):
        run.sender.send(event(f"P{n}", n) for n in range(10))
    assert run.sender.pending == 10
    assert 30 <= run.clock.now < 36


def test_it_gives_up_on_one_event_that_is_refused_for_too_long_while_others_pass() -> None:
    run = Run(SimulatedStream(repeat(Refuse([True, False, False]))), give_up_after=30)
    with pytest.raises(SendingError):
        run.sender.send(event(f"P{n}", n) for n in count())
    assert "P0" not in {accepted.event.partition_key for accepted in run.accepted}
    assert run.sender.pending


def test_a_slow_stream_that_goes_on_taking_events_is_never_given_up() -> None:
    faults = [Refuse([False, True])] * 100
    run = Run(SimulatedStream(faults), Limits(2, 1000, 2), give_up_after=8)
    run.sender.send(event(f"P{n}", n) for n in range(100))
    assert len(run.accepted) == 100
    assert run.clock.now > 80


def test_a_failure_that_will_not_pass_ends_it_at_once() -> None:
    class Gone(SimulatedStream):
        def put_records(self, **arguments: Any) -> Any:
            raise client_error("ResourceNotFoundException")

    run = Run(Gone())
    with pytest.raises(SendingError, match="The stream orders does not exist at https://kinesis"):
        run.sender.send([event("A", 0)])
    assert run.sender.pending == 1
    assert run.clock.waits == []


def test_a_record_is_at_most_a_mebibyte_with_its_key() -> None:
    run = Run(SimulatedStream())
    run.sender.take(event("A", 0, MEBIBYTE - 1))
    with pytest.raises(ValueError, match="1048577 bytes is over the limit of 1 MiB"):
        run.sender.take(event("A", 1, MEBIBYTE))
