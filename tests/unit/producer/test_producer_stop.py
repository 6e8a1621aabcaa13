from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from producer.stop import StopRequest

FOREVER = 100.0  # More than a test may take: a wait of it must be ended by a signal.


@pytest.fixture
def stop() -> Iterator[StopRequest]:
    with StopRequest() as request:
        yield request


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_to_stop_and_ends_a_wait_that_starts_after_it(
    stop: StopRequest, number: int
) -> None:
    assert not stop.made
    send(number)
    stop.wait(FOREVER)
    assert stop.made


def test_a_signal_ends_a_wait_that_it_falls_into(stop: StopRequest) -> None:
    old = signal.signal(signal.SIGALRM, lambda number, frame: send(signal.SIGTERM))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not stop.made:  # The alarm itself may end a wait too.
            stop.wait(FOREVER)
    finally:
        signal.signal(signal.SIGALRM, old)


def test_once_a_signal_is_seen_waits_last_again(stop: StopRequest) -> None:
    send(signal.SIGTERM)
    stop.wait(FOREVER)
    start = monotonic()
    stop.wait(0.02)
    assert monotonic() - start >= 0.02


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_sigint_after_the_request_interrupts(stop: StopRequest, first: int) -> None:
    send(first)
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)


def test_a_second_sigterm_changes_nothing(stop: StopRequest) -> None:
    send(signal.SIGTERM)
    send(signal.SIGTERM)
    assert stop.made


def test_afterwards_the_signals_are_handled_as_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopRequest():
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_ends_a_wait_or_the_next_one(stop: StopRequest) -> None:
    threading.Thread(target=stop.wake).start()
    stop.wait(FOREVER)
    assert not stop.made


def test_more_wakes_than_a_socket_holds_are_one(stop: StopRequest) -> None:
    for _ in range(100_000):
        stop.wake()
    stop.wait(FOREVER)
