from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice, repeat
from typing import Any, cast

from inventory_aws.event import Event
from inventory_aws.sender import Accepted, Sender
from producer.feed import feed
from producer.generator import Spec, events
from producer.pace import Pace
from simulated_stream import FakeClock, Refuse, SimulatedStream, event


class GivenGaps(Pace):
    """A pace whose gaps a test gives."""

    def __init__(self, gaps: Iterator[float]) -> None:
        super().__init__()
        self._gaps = gaps

    def gap(self) -> float:
        return next(self._gaps)


class Feeding:
    """A run of `feed` on a simulated stream, where time passes only by waiting."""

    def __init__(
        self,
        events: Iterable[Event],
        pace: Pace | Iterator[float],
        *,
        stream: SimulatedStream | None = None,
        duration: float = float("inf"),
        stopping: Callable[[Feeding], bool] = lambda run: False,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.stream = stream or SimulatedStream()
        self.accepted: list[Accepted] = []
        self.pending_at_flush: list[int] = []
        sender = Sender(
            cast(Any, self.stream),
            "orders",
            on_accepted=self.accepted.append,
            clock=self.clock,
            wait=self.clock.wait,
            fraction=lambda: 0.0,
        )
        feed(
            events,
            pace if isinstance(pace, Pace) else GivenGaps(pace),
            sender,
            duration=duration,
            stopping=lambda: stopping(self),
            on_flush=lambda: self.pending_at_flush.append(sender.pending),
            clock=self.clock,
            wait=self.clock.wait,
        )
        self.left = sender.pending

    @property
    def times(self) -> list[float]:
        return [accepted.accepted_at for accepted in self.accepted]


def endless() -> Iterator[Event]:
    return (event(f"P{n}", n) for n in count())


def test_events_are_sent_when_they_are_due() -> None:
    run = Feeding([event("A", n) for n in range(3)], iter([0.5, 1.5, 9.0]))
    assert run.times == [0.0, 0.5, 2.0]
    assert run.clock.now == 2.0  # It does not wait for an event that there is not.


def test_after_the_duration_no_event_is_taken() -> None:
    run = Feeding(endless(), repeat(1.0), duration=3.5)
    assert run.times == [0.0, 1.0, 2.0, 3.0]
    assert run.clock.now == 3.5


def test_time_lost_to_a_refusal_is_made_up_for() -> None:
    stream = SimulatedStream([Refuse([True])] * 4)  # 0.05 + 0.1 + 0.2 + 0.4 s of waiting
    run = Feeding(endless(), repeat(0.25), stream=stream, duration=1.9)
    assert run.times[:4] == [0.75, 0.75, 0.75, 0.75]
    assert run.times[4:] == [1.0, 1.25, 1.5, 1.75]


def test_a_second_at_most_is_made_up_for() -> None:
    class SlowAtFirst(SimulatedStream):
        def put_records(self, **arguments: Any) -> Any:
            clock.now += 0.0 if self.calls else 5.0
            return super().put_records(**arguments)

    clock = FakeClock()
    run = Feeding(endless(), repeat(0.25), stream=SlowAtFirst(), clock=clock, duration=5.6)
    assert run.times == [5.0] * 7 + [5.25, 5.5]


def test_a_request_to_stop_is_followed_by_sending_what_is_taken() -> None:
    run = Feeding(endless(), repeat(0.0), stopping=lambda run: len(run.stream.calls) == 3)
    assert run.pending_at_flush == [1500]
    assert run.left == 0
    assert len(run.accepted) == 3000


def test_what_is_taken_is_sent_although_the_stop_came_with_a_refusal() -> None:
    stream = SimulatedStream([Refuse([False]), Refuse([True]), Refuse([True])])
    run = Feeding(
        endless(), repeat(1.0), stream=stream, stopping=lambda run: len(run.stream.calls) >= 2
    )
    assert len(run.accepted) == 2
    assert run.left == 0


def test_a_slow_stream_gets_all_that_is_due_in_a_call_and_each_product_in_its_order() -> None:
    class Slow(SimulatedStream):
        def put_records(self, **arguments: Any) -> Any:
            clock.now += 0.033
            return super().put_records(**arguments)

    clock = FakeClock()
    stream = Slow([Refuse([False, True, False]), Refuse([False])] * 10)
    sent = list(islice(events(Spec(seed=1, products=100)), 1000))
    run = Feeding(sent, repeat(1 / 200), stream=stream, clock=clock)
    assert clock.now < 5.5
    assert all(len({r["PartitionKey"] for r in call}) == len(call) for call in stream.calls)
    assert sum(len(call) for call in stream.calls) > 1000  # some were refused and sent again
    for product in {each.partition_key for each in sent}:
        of_product = [each for each in sent if each.partition_key == product]
        assert [a.event for a in run.accepted if a.event.partition_key == product] == of_product
        payloads = [each.payload for each in of_product]
        assert [data for data in stream.payloads if data in payloads] == payloads


def test_at_a_slow_pace_each_event_is_sent_at_once() -> None:
    run = Feeding(islice(endless(), 4), repeat(0.5))
    assert [len(call) for call in run.stream.calls] == [1, 1, 1, 1]


def test_unpaced_batches_are_full() -> None:
    run = Feeding([event(f"P{n}", n) for n in range(1200)], repeat(0.0))
    assert [len(call) for call in run.stream.calls] == [500, 500, 200]
