"""Verify finds nothing wrong where the pipeline kept its promise, and every breach of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hostile_events import key_of
from inventory.event import (
    Event,
    InvalidEventError,
    ProductRemoved,
    QuantityMoved,
    parse_record,
)
from inventory.failure_messages import DeadLetter, Rejection
from inventory.items import item_of, row_of
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply
from inventory_aws.stream import StreamRecord
from operations.expectation import expect
from operations.redrive.failed_event import marked, origin_of
from operations.verify.compare import Comparison, Evidence, Problem, compare
from operations.verify.explain import RecordStatus
from operations.verify.gather import settled

IGNORE, ENFORCE = RemovalNamePolicy
PRODUCTS = ("P1", "P2")


def event(kind: str, event_id: str | None = None, **product: object) -> bytes:
    told = {} if event_id is None else {"event_id": event_id}
    return json.dumps({"event_type": f"product_{kind}", **told, "product": product}).encode()


def added(product: str, quantity: int, event_id: str | None = None) -> bytes:
    return event("added", event_id, product_id=product, product_name="Phone", quantity=quantity)


def moved(product: str, change: int, event_id: str | None = None) -> bytes:
    return event("quantity_changed", event_id, product_id=product, quantity_change=change)


def leveled(product: str, level: int, event_id: str | None = None) -> bytes:
    return event("quantity_changed", event_id, product_id=product, quantity=level)


def removed(product: str, event_id: str | None = None) -> bytes:
    return event("removed", event_id, product_id=product)


def astray(payload: bytes) -> bytes:
    """The event, which `on_stream` puts under another key until it is redriven."""
    return payload.removesuffix(b"}") + b', "astray": 1}'


def on_stream(payloads: Iterable[bytes]) -> list[StreamRecord]:
    """One shard, numbered from 1."""

    def key(payload: bytes) -> str:
        strays = b'"astray"' in payload and origin_of(payload) is None
        return "another" if strays else key_of(payload)

    return [StreamRecord("shard", n, float(n), p, key(p)) for n, p in enumerate(payloads, 1)]


def rejection(record: StreamRecord, code: str | None = None) -> Rejection:
    return Rejection(code or "some.fault", "no", None, None, *record.place, record.data)


def letter(record: StreamRecord) -> DeadLetter:
    number = record.sequence_number
    return DeadLetter("RetryAttemptsExhausted", record.shard_id, number, number, 1, 0.0)


def left_by(
    records: Sequence[StreamRecord],
    given_up: Collection[int] = (),
    letters: bool = True,
    enforced: Collection[int] = (),
) -> Evidence:
    """What a pipeline leaves that gives up on these sequence numbers and handles the rest, those
    that are `enforced` under that policy of removals."""
    rows: dict[str, Row] = {}
    removals: dict[str, Removal] = {}
    rejections = []
    for record in records:
        if record.sequence_number in given_up:
            continue
        try:
            said = parse_record(record.data, record.partition_key, record.sequence_number)
        except InvalidEventError:
            rejections.append(rejection(record))
            continue
        product_id = said.product_id
        names = ENFORCE if record.sequence_number in enforced else IGNORE
        step = apply(rows.get(product_id), said, names, removals.get(product_id))
        if step.row is not None:
            rows[product_id] = step.row
        elif step.removed is not None:
            del rows[product_id]
            removals[product_id] = step.removed
        if step.outcome is Outcome.REJECTED:
            rejections.append(rejection(record, step.code))
    found = [letter(r) for r in records if r.sequence_number in given_up] if letters else []
    return Evidence(records, rejections, found, rows)


def problems(verdict: Comparison) -> list[Problem]:
    return [difference.problem for difference in verdict.differences]


def payloads_with(ids: bool) -> st.SearchStrategy[list[bytes]]:
    """Events of two products, some invalid; each with an id of its own, or none with any."""

    def build(plan: list[tuple[int, str, int]]) -> list[bytes]:
        made = []
        for n, (kind, product, amount) in enumerate(plan):
            event_id = f"E{n}" if ids else None
            made.append(
                [
                    added(product, abs(amount), event_id),
                    moved(product, amount, event_id),
                    leveled(product, abs(amount), event_id),
                    removed(product, event_id),
                    b"{%d" % n,
                    astray(moved(product, amount, event_id)),
                ][kind]
            )
        return made

    step = st.tuples(st.integers(0, 5), st.sampled_from(PRODUCTS), st.integers(-9, 9))
    return st.lists(step, max_size=40).map(build)


PAYLOADS = st.booleans().flatmap(payloads_with)
GIVEN_UP = st.sets(st.integers(1, 40))


@given(PAYLOADS, GIVEN_UP)
def test_any_events_with_any_dead_lettered_verify_if_the_rest_was_applied(
    payloads: list[bytes], given_up: set[int]
) -> None:
    records = on_stream(payloads)
    verdict = compare(left_by(records, given_up), IGNORE)
    assert verdict.differences == []
    assert verdict.statuses.total() == len(records)
    assert verdict.statuses[RecordStatus.DEAD_LETTERED] == len(
        [n for n in given_up if n <= len(records)]
    )


@given(PAYLOADS, GIVEN_UP)
def test_they_verify_with_every_message_there_twice(
    payloads: list[bytes], given_up: set[int]
) -> None:
    once = left_by(on_stream(payloads), given_up)
    twice = replace(once, rejections=[*once.rejections] * 2, dead_letters=[*once.dead_letters] * 2)
    assert compare(twice, IGNORE) == compare(once, IGNORE)


@given(payloads_with(ids=True), GIVEN_UP)
def test_they_verify_once_all_dead_letters_are_redriven(
    payloads: list[bytes], given_up: set[int]
) -> None:
    """As `inventory redrive` puts them: a copy that does not say so may as well be a repetition."""
    first = on_stream(payloads)
    failed = [r for r in first if r.sequence_number in given_up and r.data.startswith(b'{"')]
    again = [marked(f"E{r.sequence_number - 1}", r.place, r.data) for r in failed]
    given_up = {r.sequence_number for r in failed}
    evidence = left_by(on_stream([*payloads, *again]), given_up, letters=False)
    verdict = compare(evidence, IGNORE)
    assert verdict.differences == []
    assert verdict.statuses.total() == len(evidence.records)
    assert verdict.sent_again.total() == len(failed)
    handled = [r for r in evidence.records if r.sequence_number not in given_up]
    outcomes = expect(
        {}, [(r.sequence_number, r.partition_key, r.data) for r in handled], IGNORE
    ).outcomes
    assert verdict.statuses - verdict.sent_again == {
        RecordStatus(o): n for o, n in outcomes.items()
    }


@given(PAYLOADS, GIVEN_UP, st.data())
def test_any_changed_row_is_found(
    payloads: list[bytes], given_up: set[int], data: st.DataObject
) -> None:
    evidence = left_by(on_stream(payloads), given_up)
    assume(evidence.rows)
    product_id = data.draw(st.sampled_from(sorted(evidence.rows)))
    row = evidence.rows[product_id]
    changed = data.draw(
        st.sampled_from(
            [
                replace(row, quantity=int(row.quantity) + 1),
                replace(row, product_name="Lamp"),
                replace(row, timestamp="then"),
                replace(row, sequence_number=999),
                replace(row, recent_event_ids=("E99",)),
            ]
        )
    )
    verdict = compare(replace(evidence, rows={**evidence.rows, product_id: changed}), IGNORE)
    assert {d.product_id for d in verdict.differences} == {product_id}
    assert problems(verdict) == [Problem.ROW]
    assert verdict.differences[0].found == changed


@given(PAYLOADS, st.data())
def test_a_row_that_is_gone_is_found(payloads: list[bytes], data: st.DataObject) -> None:
    evidence = left_by(on_stream(payloads))
    assume(evidence.rows)
    product_id = data.draw(st.sampled_from(sorted(evidence.rows)))
    rows = {p: row for p, row in evidence.rows.items() if p != product_id}
    verdict = compare(replace(evidence, rows=rows), IGNORE)
    assert product_id in {d.product_id for d in verdict.differences}


def test_a_row_that_no_event_made_is_found_however_old_it_says_it_is() -> None:
    records = [StreamRecord("shard", 100, 0.0, added("P1", 5), "P1")]
    for number in (None, 1, 100, 101):
        rows = {**left_by(records).rows, "P9": Row("P9", "Lamp", 1, "N/A", number)}
        verdict = compare(Evidence(records, [], [], rows), IGNORE)
        assert problems(verdict) == [Problem.ROW]


@pytest.mark.parametrize(
    "attributes",
    [
        {"quantity": {"N": "7.5"}},
        {"quantity": {"S": "7"}},
        {"quantity": {"N": "1E+60"}},
        {"sequence_number": {"S": "1"}},
        {"sequence_number": {"N": "1"}},
        {"recent_event_ids": {"L": [{"S": "E1"}, {"N": "1"}]}},
        {"recent_event_ids": {"SS": ["E1"]}},
        {"timestamp": None},
    ],
)
def test_a_row_in_another_form_than_the_function_writes_is_found(attributes: Any) -> None:
    evidence = left_by(on_stream([added("P1", 7, "E1")]))
    item = item_of(evidence.rows["P1"]) | attributes
    rows = {"P1": row_of({name: value for name, value in item.items() if value})}
    verdict = compare(replace(evidence, rows=rows), IGNORE)
    assert problems(verdict) == [Problem.ROW]


def test_a_quantity_of_another_program_is_wrong_but_not_its_rejected_event() -> None:
    [record] = on_stream([moved("P1", 1, "E1")])
    rows = {"P1": row_of({"product_id": {"S": "P1"}, "quantity": {"N": "7.5"}})}
    event = parse_record(record.data, record.partition_key, record.sequence_number)
    rejections = [rejection(record, apply(rows["P1"], event).code)]
    verdict = compare(Evidence([record], rejections, [], rows), IGNORE)
    assert problems(verdict) == [Problem.ROW]
    assert verdict.statuses == {RecordStatus.REJECTED: 1}
    verdict = compare(Evidence([record], rejections, [], {}), IGNORE)
    assert verdict.differences == []


def test_attributes_that_somebody_added_are_no_difference() -> None:
    evidence = left_by(on_stream([added("P1", 7, "E1"), added("P2", 1)]))
    extended = row_of(item_of(evidence.rows["P1"]) | {"colour": {"S": "red"}})
    verdict = compare(replace(evidence, rows={**evidence.rows, "P1": extended}), IGNORE)
    assert (verdict.differences, verdict.rows) == ([], 2)


def named_removal(product: str, event_id: str) -> bytes:
    return event("removed", event_id, product_id=product, product_name="Other")


@given(st.sets(st.integers(1, 40)), st.lists(st.integers(0, 3), max_size=40))
def test_a_removal_is_judged_by_the_policy_that_was_in_force(
    enforced: set[int], plan: list[int]
) -> None:
    kinds = [
        lambda n: added("P1", n, f"E{n}"),
        lambda n: moved("P1", -9, f"E{n}"),
        lambda n: moved("P1", 1, f"E{n}"),
        lambda n: named_removal("P1", f"E{n}"),
    ]
    evidence = left_by(on_stream(kinds[k](n) for n, k in enumerate(plan)), enforced=enforced)
    for names in RemovalNamePolicy:
        verdict = compare(evidence, names)
        assert verdict.differences == []
        assert verdict.statuses[RecordStatus.REJECTED] == len(evidence.rejections)


def test_rows_of_an_earlier_stream_are_not_wrong() -> None:
    earlier = left_by(on_stream([added("P1", 5, "E1"), added("P2", 5, "E2"), added("P3", 5, "E3")]))
    later = [
        StreamRecord("shard", number, 0.0, payload, key)
        for number, (key, payload) in enumerate(
            [
                ("P1", moved("P1", 1, "E4")),
                ("P2", added("P2", 5, "E2")),
                ("P4", added("P4", 1, "E5")),
            ],
            start=100,
        )
    ]
    rows = dict(earlier.rows)
    for record in later:
        said = parse_record(record.data, record.partition_key, record.sequence_number)
        step = apply(rows.get(said.product_id), said, IGNORE)
        assert step.row is not None
        rows[said.product_id] = step.row
    verdict = compare(Evidence(later, [], [], rows, whole=False), IGNORE)
    assert (verdict.differences, verdict.rows, verdict.older_rows) == ([], 1, 3)
    assert verdict.statuses == {RecordStatus.APPLIED: 1, RecordStatus.UNKNOWN: 2}


@given(PAYLOADS, GIVEN_UP, st.data())
def test_any_missing_rejection_is_found(
    payloads: list[bytes], given_up: set[int], data: st.DataObject
) -> None:
    records = on_stream(payloads)
    # Had a removal that was given up on been carried out all the same, nothing need be rejected.
    given_up -= {r.sequence_number for r in records if b"product_removed" in r.data}
    evidence = left_by(records, given_up)
    assume(evidence.rejections)
    gone = data.draw(st.sampled_from(evidence.rejections))
    kept = [r for r in evidence.rejections if r != gone]
    verdict = compare(replace(evidence, rejections=kept), IGNORE)
    assert problems(verdict) == [Problem.NO_REJECTION]
    assert verdict.differences[0].since == (gone.shard_id, gone.sequence_number)


@given(PAYLOADS, GIVEN_UP, st.data())
def test_a_rejection_of_a_record_that_was_applied_is_found(
    payloads: list[bytes], given_up: set[int], data: st.DataObject
) -> None:
    evidence = left_by(on_stream(payloads), given_up)
    rejected = {r.sequence_number for r in evidence.rejections} | given_up
    others = [r for r in evidence.records if r.sequence_number not in rejected]
    assume(others)
    extra = data.draw(st.sampled_from(others))
    verdict = compare(
        replace(evidence, rejections=[*evidence.rejections, rejection(extra)]), IGNORE
    )
    if isinstance(parsed(extra), ProductRemoved | QuantityMoved):
        key, number = extra.partition_key, extra.sequence_number
        before = evidence.records[: number - 1]
        lost = [parsed(r) for r in before if r.sequence_number in given_up]
        assume(all(event is None or event.product_id != key for event in lost))
    assert problems(verdict) == [Problem.REJECTED_TOO]


def parsed(record: StreamRecord) -> Event | None:
    try:
        return parse_record(record.data, record.partition_key, record.sequence_number)
    except InvalidEventError:
        return None


def test_a_rejection_due_to_an_event_that_the_pipe_gave_up_later_is_no_difference() -> None:
    records = on_stream([added("a", 5, "E1"), moved("a", -9, "E2")])
    left = left_by(records, given_up=[1])
    sent_before = replace(left, rejections=[rejection(records[1], "product.quantity.negative")])
    for evidence in (left, sent_before):
        assert problems(compare(evidence, IGNORE)) == []
    other_order = on_stream([moved("a", -9, "E2"), added("a", 5, "E1")])
    left = left_by(other_order, given_up=[2])
    wrong = replace(left, rejections=[rejection(other_order[0])])
    assert problems(compare(wrong, IGNORE)) == [Problem.REJECTED_TOO]


def test_a_dead_lettered_event_that_the_row_remembers_was_applied() -> None:
    records = on_stream([added("P1", 5, "E1"), moved("P1", -2, "E2"), moved("P1", -1, "E3")])
    for given_up in (2, 3):
        evidence = replace(left_by(records), dead_letters=[letter(records[given_up - 1])])
        verdict = compare(evidence, IGNORE)
        assert verdict.differences == []
        assert verdict.statuses == {RecordStatus.APPLIED: 3}


def test_a_dead_lettered_event_that_the_row_does_not_remember_was_not() -> None:
    records = on_stream([added("P1", 5), moved("P1", -2), moved("P1", -1)])
    evidence = replace(left_by(records), dead_letters=[letter(records[1])])
    assert problems(compare(evidence, IGNORE)) == [Problem.ROW]


def test_a_redriven_dead_letter_is_told_from_an_event_sent_twice() -> None:
    payloads = [added("P1", 5, "E1"), moved("P1", -2, "E2"), leveled("P1", 9, "E3")]
    records = on_stream([*payloads, payloads[1]])
    twice = compare(left_by(records), IGNORE)
    redriven = compare(left_by(records, {2}, letters=False), IGNORE)
    assert twice.statuses == {RecordStatus.APPLIED: 3, RecordStatus.DUPLICATE: 1}
    assert redriven.statuses == {RecordStatus.APPLIED: 3, RecordStatus.DEAD_LETTERED: 1}
    assert redriven.sent_again == {RecordStatus.DEAD_LETTERED: 1}
    assert twice.differences == redriven.differences == []


def test_an_event_redriven_after_more_events_than_a_row_remembers_counts_once() -> None:
    moves = [moved("P1", 1, f"M{n}") for n in range(30)]
    payloads = [added("P1", 5, "E1"), moved("P1", -2, "E2"), *moves, moved("P1", -2, "E2"), *moves]
    evidence = left_by(on_stream(payloads), {2}, letters=False)
    assert compare(evidence, IGNORE).differences == []


def test_a_rejected_event_may_have_left_the_queue_for_the_stream() -> None:
    records = on_stream([b"{", marked("E1", ("shard", 1), added("P1", 5))])
    evidence = replace(left_by(records), rejections=[])
    verdict = compare(evidence, IGNORE)
    assert verdict.differences == []
    assert verdict.sent_again == {RecordStatus.REJECTED: 1}


def test_a_copy_does_not_hide_that_the_first_rejection_is_lost() -> None:
    invalid = event("added", "E1", product_id="P1", product_name="Phone", quantity="many")
    below_zero = moved("P1", -9, "E2")
    records = on_stream([added("P1", 5), invalid, below_zero, invalid, below_zero])
    evidence = left_by(records)
    for gone in (0, 1):
        kept = [r for n, r in enumerate(evidence.rejections) if n != gone]
        verdict = compare(replace(evidence, rejections=kept), IGNORE)
        assert problems(verdict) == [Problem.NO_REJECTION]
        assert verdict.differences[0].since == ("shard", gone + 2)


def test_a_rejection_may_leave_the_queue_once_a_copy_of_its_event_is_applied() -> None:
    below_zero = moved("P1", -9, "E2")
    records = on_stream([added("P1", 5), below_zero, added("P1", 50), below_zero])
    verdict = compare(replace(left_by(records), rejections=[]), IGNORE)
    assert verdict.differences == []
    assert verdict.sent_again == {RecordStatus.REJECTED: 1}


def test_an_event_under_another_key_may_leave_the_queue_once_a_copy_is_applied() -> None:
    copies = [moved("P1", -2, "E2"), astray(moved("P1", -2, "E2"))]
    for order in (copies, copies[::-1]):
        evidence = left_by(on_stream([added("P1", 5, "E1"), *order]))
        assert len(evidence.rejections) == 1
        verdict = compare(replace(evidence, rejections=[]), IGNORE)
        assert verdict.differences == []
        assert verdict.statuses == {RecordStatus.APPLIED: 2, RecordStatus.REJECTED: 1}
        assert verdict.sent_again == {RecordStatus.REJECTED: 1}


def test_a_copy_under_another_key_does_not_hide_that_an_event_is_lost() -> None:
    event = moved("P1", -2, "E2")
    records = on_stream([added("P1", 5, "E1"), event, leveled("P1", 9), astray(event)])
    evidence = left_by(records, given_up={2}, letters=False)
    assert problems(compare(evidence, IGNORE)) == [Problem.ROW]


@given(payloads_with(ids=True), st.integers(0, 39))
def test_what_is_not_handled_yet_is_behind_from_its_first_event_on(
    payloads: list[bytes], handled: int
) -> None:
    records = on_stream(payloads)
    evidence = replace(left_by(records[:handled]), records=records)
    verdict = compare(evidence, IGNORE)
    places = {record.place for record in records[handled:]}
    assert all(difference.since in places for difference in verdict.differences)
    earlier = {record.place for record in records[:handled]}
    assert not any(difference.since in earlier for difference in verdict.differences)


@given(payloads_with(ids=True), st.integers(0, 40), GIVEN_UP)
def test_what_the_stream_no_longer_has_is_not_called_wrong(
    payloads: list[bytes], expired: int, given_up: set[int]
) -> None:
    evidence = left_by(on_stream(payloads), given_up)
    left = replace(evidence, records=evidence.records[expired:], whole=False)
    verdict = compare(left, IGNORE)
    assert verdict.differences == []
    assert verdict.statuses.total() == len(left.records)
    assert verdict.rows + verdict.older_rows == len(evidence.rows)


def test_a_copy_of_a_removed_products_event_is_a_duplicate() -> None:
    payloads = [added("P1", 1, "E1"), removed("P1", "E2"), added("P1", 1, "E1")]
    evidence = left_by(on_stream(payloads))
    assert evidence.rows == {}
    assert compare(evidence, IGNORE).statuses == {
        RecordStatus.APPLIED: 2,
        RecordStatus.DUPLICATE: 1,
    }
    assert compare(replace(evidence, whole=False), IGNORE).differences == []


def test_a_wrong_row_is_found_even_where_its_first_events_are_gone() -> None:
    payloads = [added("P1", 1, "E1"), added("P1", 5, "E2"), moved("P1", 1, "E3")]
    evidence = left_by(on_stream(payloads))
    rows = {"P1": replace(evidence.rows["P1"], quantity=7)}
    left = replace(evidence, records=evidence.records[1:], rows=rows, whole=False)
    assert problems(compare(left, IGNORE)) == [Problem.ROW]


def test_rows_older_than_all_that_is_on_the_stream_are_counted_apart() -> None:
    records = [StreamRecord("shard", 100, 0.0, added("P1", 5), "P1")]
    rows = {**left_by(records).rows, "P2": Row("P2", "Lamp", 1, "N/A", 99)}
    verdict = compare(Evidence(records, [], [], rows, whole=False), IGNORE)
    assert (verdict.differences, verdict.rows, verdict.older_rows) == ([], 1, 1)


class Rounds:
    """Evidence as it is found round by round, the last for ever, and a clock of pauses."""

    def __init__(self, *rounds: Evidence) -> None:
        self._rounds = list(rounds)
        self.now = 0.0

    def look(self) -> Evidence:
        return self._rounds.pop(0) if len(self._rounds) > 1 else self._rounds[0]

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def verdict(self, wait: float) -> Comparison:
        return settled(self.look, IGNORE, wait, self.pause, clock=lambda: self.now)


EVENTS = on_stream([added("P1", 5, "E1"), moved("P1", -2, "E2"), moved("P1", -1, "E3")])


def handled(count: int) -> Evidence:
    return replace(left_by(EVENTS[:count]), records=EVENTS)


def test_it_waits_as_long_as_the_pipe_makes_progress() -> None:
    rounds = Rounds(*[handled(count) for count in (0, 0, 0, 1, 1, 1, 2, 2, 2, 3)])
    assert rounds.verdict(wait=2.5).differences == []


def test_what_stays_wrong_is_reported_after_the_wait() -> None:
    rounds = Rounds(handled(1))
    assert problems(rounds.verdict(wait=5)) == [Problem.BEHIND]
    assert rounds.now == 5


def test_events_that_came_after_the_first_look_are_not_waited_for() -> None:
    begun = replace(left_by(EVENTS[:1]), records=EVENTS[:2])
    rounds = Rounds(begun, handled(2))
    verdict = rounds.verdict(wait=5)
    assert verdict.differences == []
    assert verdict.statuses == {RecordStatus.APPLIED: 2, RecordStatus.WAITING: 1}
