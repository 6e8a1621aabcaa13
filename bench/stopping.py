"""Benchmarks that a signal may stop anywhere."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from embedded.interrupts import SIGNALS, InterruptedRunError


def run_until_stopped(main: Callable[[], object]) -> None:
    """Run a program that a signal may stop anywhere. Then exit with the signal's exit code."""
    try:
        for number in SIGNALS:
            signal.signal(number, _give_up)
        main()
    except InterruptedRunError as stop:
        print(f"Stopped by {stop.signal_name}.", file=sys.stderr)
        sys.exit(stop.exit_code)


def _give_up(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # cleaning up is not cut short
    raise InterruptedRunError(number)
