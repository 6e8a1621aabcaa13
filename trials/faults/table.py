"""The table of what was injected and what came of it, printed when the tests have run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from operations.verify.explain import RecordStatus

KEY = "fault"
"""Under this name a test's report carries its row, also from one process to another."""

STATUSES = (
    RecordStatus.APPLIED,
    RecordStatus.DUPLICATE,
    RecordStatus.NOT_FOUND,
    RecordStatus.REJECTED,
    RecordStatus.DEAD_LETTERED,
)
WIDTH = 160


@dataclass(frozen=True)
class Row:
    """What became of a case: `injected` faults, and by `statuses` how many events came to what.

    `between` are the parts that the fault is between; `green` is what `inventory verify` said.
    """

    between: str
    fault: str
    injected: int
    statuses: dict[str, int]
    green: bool


class FaultTable:
    """A plugin of pytest that gathers the rows of all tests and prints them."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self._failed.add(report.nodeid)
        for name, value in report.user_properties:
            if name == KEY:
                told: Any = value
                self._rows[report.nodeid] = Row(**told)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._rows:
            console = Console(width=WIDTH, color_system=None)
            with console.capture() as shown:
                console.print(self._table())
            terminalreporter.write_sep("=", "faults and what came of them")
            terminalreporter.write(shown.get())

    def _table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("between", "fault"):
            table.add_column(name, no_wrap=True)
        figures = ("times", "events", *(status.replace("_", " ") for status in STATUSES))
        for name in figures:
            table.add_column(name, justify="right")
        table.add_column("verify")
        table.add_column("seconds", justify="right")
        for line in self._lines():
            table.add_row(*line)
        return table

    def _lines(self) -> Iterator[list[str]]:
        before = ""
        for nodeid, row in sorted(self._rows.items(), key=lambda item: item[1].between):
            well = row.green and nodeid not in self._failed
            yield [
                "" if row.between == before else row.between,
                row.fault,
                str(row.injected),
                str(sum(row.statuses.values())),
                *(str(row.statuses.get(status, 0)) for status in STATUSES),
                "green" if well else "RED",
                f"{self._seconds[nodeid]:.1f}",
            ]
            before = row.between
