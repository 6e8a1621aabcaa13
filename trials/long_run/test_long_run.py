"""A short long run: thousands of events, bad ones among them, two kills and a reshard."""

from __future__ import annotations

from pathlib import Path

import pytest

from endings import variant
from long_run import report
from long_run.plan import Plan
from long_run.run import Run
from servers import pipeline, set_aws
from stack import EmbeddedBackend

PLAN = Plan(seed=1, events=2000, products=200, hanging=0, shards=(2, 3), ahead=1000)


@pytest.fixture(autouse=True)
def _follow_the_environment(embedded: EmbeddedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    set_aws(monkeypatch, embedded.variables)


@pytest.mark.timeout(300)
def test_every_event_is_in_one_place_whatever_happened_to_the_pipeline(
    embedded: EmbeddedBackend, function_zip: Path
) -> None:
    with pipeline(embedded, PLAN.options, variant(function_zip.read_bytes())) as stack:
        run = Run(embedded, stack, PLAN, print)
        run.carry_out()
        print("\n".join(report.lines(run)))
        assert list(report.findings(run)) == []
