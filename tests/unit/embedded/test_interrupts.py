"""What a signal prints, before anything has ended."""

from __future__ import annotations

import signal

import pytest

from embedded.interrupts import InterruptedRunError, Interrupts, announced, held_back


def test_the_first_signal_says_at_once_what_the_end_waits_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Interrupts("The servers end first.") as interrupts:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert capfd.readouterr().err.strip() == "Stopping… The servers end first."
        with pytest.raises(InterruptedRunError, match="SIGINT"):
            interrupts.check()


def test_what_ends_at_once_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err == ""


def test_a_keyboard_interrupt_can_be_announced(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), announced("The calls under way end first."):
        signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err.strip() == "Stopping… The calls under way end first."


def test_what_must_not_be_cut_in_two_is_done_before_a_signal_counts() -> None:
    done = []

    def start() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["all of it"]
