"""What a signal prints, before anything has ended."""

from __future__ import annotations

import signal

import pytest

from embedded.interrupts import InterruptedRunError, Interrupts, announced, held_back


def test_the_first_signal_prints_at_once_what_the_end_waits_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Interrupts("The servers end first.") as interrupts:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert capfd.readouterr().err.strip() == "Stopping… The servers end first."
        with pytest.raises(InterruptedRunError, match="SIGINT"):
            interrupts.check()


def test_without_a_reason_a_signal_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err == ""


def test_ctrl_c_prints_what_the_end_waits_for_before_it_raises(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt), announced("The calls under way end first."):
        signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err.strip() == "Stopping… The calls under way end first."


def test_a_signal_takes_effect_after_the_block_that_holds_it_back() -> None:
    done = []

    def start() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["all of it"]
