"""What the pages of the service say, where it can be compared with the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from eventbridge_pipes.apply import command as apply
from eventbridge_pipes.settings import Settings
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE

TESTS = Path(__file__).parents[1]
PIPES = TESTS.parent
REPOSITORY = PIPES.parents[1]
README = (PIPES / "README.md").read_text()
FIDELITY = (PIPES / "FIDELITY.md").read_text()


def test_each_test_that_it_names_is_there() -> None:
    whole = re.findall(r"`((?:conformance|integration)/[^`]+)`", README + FIDELITY)
    short = re.findall(r"`unit/([^`]+)`", FIDELITY)
    folders = {"conformance": TESTS, "integration": REPOSITORY / "tests"}
    paths = [folders[path.partition("/")[0]] / path for path in whole]
    paths += [TESTS / "unit" / f"test_pipes_{name}.py" for name in short]
    assert len(paths) > 100
    assert [path for path in paths if not path.is_file()] == []


def test_each_line_of_the_fidelity_table_says_what_holds_and_where_or_why() -> None:
    rows = [line.split(" | ") for line in FIDELITY.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if row[1] not in ("here", "---")]
    assert len(rows) > 80
    for row in rows:
        assert len(row) == 3, row
        fact, here, shown = row
        assert re.match(r"(done|differs|refused|none)\b", here), fact
        assert "`" in shown or not here.startswith(("done", "refused")), fact


@pytest.mark.parametrize(
    ("section", "until", "show_help"),
    [
        ("## Settings", "The SDK", lambda: Settings.read(["--help"], {})),
        ("## Pipes from a template", "Without", lambda: apply.main(["--help"])),
    ],
)
def test_its_options_are_those_of_the_command(
    section: str, until: str, show_help: Callable[[], object], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        show_help()
    usage = capsys.readouterr().out.partition("\n\n")[0]
    table = README.partition(section)[2].partition(until)[0]
    named = {"--help", *re.findall(r"^\| `(--[a-z-]+)", table, re.M)}
    named |= set(re.findall(r"^\| `--help`, `(--[a-z-]+)", table, re.M))
    assert named == {*re.findall(r"--[a-z-]+", usage), "--help"}


def test_its_metrics_are_those_that_prometheus_gets() -> None:
    telemetry = PipeTelemetry(PIPE.arn, PrometheusMetrics())
    told = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in telemetry.prometheus.registry.collect()
        if not metric.name.startswith("process_")
    }
    table = README.partition("`GET /metrics`")[2].partition("**Execution logs**")[0]
    assert set(re.findall(r"`(eventbridge_pipes_\w+)`", table)) == told
