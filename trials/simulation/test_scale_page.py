"""bench/scale.md shows what the commands of now print."""

from __future__ import annotations

import re
import shlex

import pytest
from bench.simulation.__main__ import SEED, SWEEP, rate_line
from click.testing import CliRunner

from inventory_cli.cli import cli
from pages import ROOT

PAGE = (ROOT / "bench/scale.md").read_text(encoding="utf-8")


def test_the_plan_on_the_page_is_the_one_that_the_command_prints() -> None:
    shown = re.findall(r"^```\n\$ inventory (plan .*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)

    assert len(shown) == 1
    for command, output in shown:
        assert CliRunner().invoke(cli, shlex.split(command)).output == output


@pytest.mark.parametrize(("rate", "units"), SWEEP[:2])
def test_the_slower_rates_on_the_page_are_those_that_the_simulation_comes_to(
    rate: int, units: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    rate_line(rate, units, SEED)

    assert capsys.readouterr().out in PAGE


def test_the_page_has_every_rate_that_is_simulated() -> None:
    rates = re.findall(r"^ +([0-9,]+) .*at its limit", PAGE, re.MULTILINE)

    assert [int(rate.replace(",", "")) for rate in rates] == [rate for rate, _ in SWEEP]
