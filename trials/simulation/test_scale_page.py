"""bench/scale.md shows what `make bench-simulation` prints now."""

from __future__ import annotations

import re

import pytest
from bench.simulation.__main__ import SEED, SWEEP, rate_line

from pages import ROOT

PAGE = (ROOT / "bench/scale.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("rate", "units"), SWEEP[:2])
def test_the_slower_rates_on_the_page_are_those_that_the_simulation_comes_to(
    rate: int, units: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    rate_line(rate, units, SEED)

    assert capsys.readouterr().out in PAGE


def test_the_page_has_every_rate_that_is_simulated() -> None:
    rates = re.findall(r"^ +([0-9,]+) .*at its limit", PAGE, re.MULTILINE)

    assert [int(rate.replace(",", "")) for rate in rates] == [rate for rate, _ in SWEEP]
