"""Texts of events as users see them: each list, report and log line is one, and steers nothing."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from eventbridge_pipes.arn import Scope
from eventbridge_pipes.log import JsonFormatter, TextFormatter
from fuzzing import tries
from hostile_events import HALVES, HOSTILE_TEXTS
from hostile_items import items
from inventory.items import row_of
from inventory.stock import RemovalNamePolicy, Row
from inventory_cli.audit.entry import entry_of
from inventory_cli.audit.show import TableStatus
from inventory_cli.commands.table import change_text, change_values
from inventory_cli.commands.verify import report
from operations.redrive.failed_event import FailedEvent, Origin
from operations.redrive.plan import Action, Decision, Effect, plan
from operations.redrive.text import decision_line, event_document, event_lines
from operations.table import changes, rendered
from operations.table_stream import Change, Place
from operations.verify.compare import Comparison, Difference, Evidence, Problem, Trace, compare
from operations.verify.explain import RecordStatus

TEXTS = st.text() | st.sampled_from(HOSTILE_TEXTS + HALVES)
ROW = Row("P1", "Tablet", 3, "N/A", 7, ("e1",))


def assert_is_safe(line: str) -> None:
    """It is one line for every reader, shows all that it holds, and can be written anywhere."""
    assert line.isprintable(), ascii(line)
    assert not any(unicodedata.bidirectional(c) in ("RLO", "LRO", "RLI", "LRI") for c in line)
    line.encode("utf-8")


def failed_event(text: str) -> FailedEvent:
    return FailedEvent(
        origin=Origin.REJECTED,
        shard_id=f"shardId-{text}",
        sequence_number=7,
        failed_at=1.0,
        reason=text,
        event_id=text,
        product_id=text,
        payload=text.encode("utf-8", "surrogatepass"),
    )


@tries(200)
@given(TEXTS)
def test_a_failed_event_is_shown_in_safe_lines(text: str) -> None:
    item = failed_event(text)
    before, after = replace(ROW, product_name=text), replace(ROW, product_name=text + "2")
    decision = Decision(item, Action.SEND, Effect.APPLIED, text, None, before, after)
    for line in [*event_lines(item), *event_lines(replace(item, payload=None, lost=text))]:
        assert_is_safe(line)
    assert_is_safe(decision_line(decision))
    assert_is_safe(decision_line(replace(decision, before=None)))


@tries(200)
@given(TEXTS)
def test_a_difference_is_told_in_safe_lines(text: str) -> None:
    trace = Trace(("shardId-0", 7), "product_added", text, RecordStatus.APPLIED)
    row = replace(ROW, product_name=text, timestamp=text, recent_event_ids=(text,))
    difference = Difference(Problem.ROW, text, None, (trace,), row, replace(row, quantity=4))
    for line in report(Comparison(Counter({RecordStatus.APPLIED: 1}), differences=[difference])):
        assert_is_safe(line)
    for line in changes({text: row}, {text: replace(row, quantity=4)}):
        assert_is_safe(line)


@tries(100)
@given(TEXTS)
def test_a_row_is_shown_in_safe_lines_and_its_markup_is_not_obeyed(text: str) -> None:
    out = io.StringIO()
    row = replace(ROW, product_id=text, product_name=f"[red]{text}[/red]", timestamp=text)
    Console(file=out, width=10_000, force_terminal=True, no_color=True).print(rendered([row]))
    # Bold begins and ends the head of each column; nothing else may.
    plain = out.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
    for line in plain.removesuffix("\n").split("\n"):
        assert_is_safe(line)
    assert "[red]" in plain


@tries(150)
@given(st.none() | items(), st.none() | items(), st.integers(-9, 9))
def test_rows_that_anybody_wrote_are_read_by_every_program_and_shown_in_safe_lines(
    before: Any, after: Any, moved: int
) -> None:
    key = {"product_id": {"S": "P1"}}
    record = Change(Place("stream", "shard", "1"), 1e9, key, before, after)
    new = row_of(after) if after else None
    out = io.StringIO()
    Console(file=out, width=10_000).print(rendered([new] if new else []))
    assert not set(out.getvalue()) & set("\x1b\r\t\x07\u202e")
    assert json.dumps(change_values(record)).isascii()
    assert_is_safe(change_text(record))

    rows = {"P1": new} if new else {}
    for line in TableStatus(rows).lines([entry_of(record, {})]):
        assert line.isascii()
    payload = json.dumps(
        {
            "event_type": "product_quantity_changed",
            "product": {"product_id": "P1", "quantity_change": moved},
        }
    )
    [decision] = plan([replace(failed_event("E1"), payload=payload.encode())], {"P1": new})
    assert_is_safe(decision_line(decision))
    verdict = compare(Evidence([], [], [], rows), RemovalNamePolicy.IGNORE)
    assert len(verdict.differences) == len(rows)
    for line in report(verdict):
        assert_is_safe(line)


HOME = Scope("000000000000", "us-east-1")


@pytest.mark.parametrize("formatter", [TextFormatter(HOME), JsonFormatter()])
@tries(100)
@given(text=TEXTS)
def test_the_log_of_the_pipes_has_one_safe_line_for_each_record(
    formatter: logging.Formatter, text: str
) -> None:
    record = logging.LogRecord("pipes", logging.INFO, "", 0, "at %s: %s", (text, text), None)
    record.pipe = HOME.pipe_arn(text)
    assert_is_safe(formatter.format(record))


def test_what_programs_read_is_a_line_in_ascii() -> None:
    for text in HOSTILE_TEXTS + HALVES:
        line = json.dumps(
            event_document(failed_event("x") if text in HALVES else failed_event(text))
        )
        assert line.isascii()
        assert_is_safe(line)
