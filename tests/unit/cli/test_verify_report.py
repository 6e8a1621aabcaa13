"""What `inventory verify` prints: all counts, and differences that cannot steer a terminal."""

from __future__ import annotations

from collections import Counter

from inventory.stock import Row
from inventory_cli.commands.verify import MOST_DIFFERENCES, MOST_EVENTS, report
from operations.verify.compare import Comparison, Difference, Problem, Trace
from operations.verify.explain import RecordStatus

EVIL = "P\x1b[2J"
TRACES = tuple(
    Trace(("shard-0", n), "product_added", EVIL, RecordStatus.APPLIED) for n in range(1, 16)
)


def difference(problem: Problem) -> Difference:
    row = Row(EVIL, EVIL, 1, EVIL, 3, (EVIL,))
    return Difference(problem, EVIL, ("shard-0", 1), TRACES, None, row)


def test_every_status_is_counted_with_what_was_sent_again() -> None:
    verdict = Comparison(
        Counter({RecordStatus.APPLIED: 5, RecordStatus.DEAD_LETTERED: 3, RecordStatus.WAITING: 2}),
        sent_again=Counter({RecordStatus.DEAD_LETTERED: 2}),
        rows=4,
        older_rows=1,
    )
    text = "\n".join(report(verdict))
    assert "10 on the stream" in text
    assert "dead lettered       3, 2 of them sent again since" in text
    assert "4 checked\n  1 not checked: the stream does not have the events that made them" in text
    assert "Waiting: 2 events that arrived during the check." in text
    (last,) = [
        line
        for line in report(Comparison(Counter({RecordStatus.WAITING: 1})))
        if line.startswith("Success")
    ]
    assert last.endswith("Waiting: 1 event that arrived during the check.")


def test_texts_of_events_are_escaped() -> None:
    verdict = Comparison(differences=[difference(problem) for problem in Problem])
    assert "\x1b" not in "\n".join(report(verdict))


def test_of_a_wrong_row_the_last_events_are_shown_and_of_one_behind_the_first() -> None:
    for problem, shown in (
        (Problem.ROW, TRACES[-MOST_EVENTS:]),
        (Problem.BEHIND, TRACES[:MOST_EVENTS]),
    ):
        lines = list(report(Comparison(differences=[difference(problem)])))
        numbers = [int(line.split()[1]) for line in lines if line.startswith("    shard-0 ")]
        assert numbers == [trace.place[1] for trace in shown]
        assert any("and 5 " in line for line in lines)


def test_after_twenty_differences_only_the_number_of_others_is_shown() -> None:
    many = [difference(Problem.NO_REJECTION)] * (MOST_DIFFERENCES + 7)
    assert "  … and 7 more differences" in list(report(Comparison(differences=many)))
    assert "  … and 1 more difference" in list(report(Comparison(differences=many[:-6])))
