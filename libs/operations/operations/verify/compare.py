"""Compare the table with what the events on the stream produce. Pure.

Each event on the stream must be one of: applied, or a duplicate; not found; rejected, with its
rejection in the rejected queue, or redriven since; dead-lettered, or redriven since.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from inventory.event import (
    KEY_DIFFERS,
    Event,
    InvalidEventError,
    ProductAdded,
    ProductRemoved,
    QuantityMoved,
    parse_record,
)
from inventory.failure_messages import DeadLetter, Rejection
from inventory.stock import RemovalNamePolicy, Row
from inventory_aws.stream import Place, StreamRecord
from operations.redrive.failed_event import origin_of
from operations.verify.explain import Facts, RecordStatus, explain


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read. The stream was read last: it has every event that the others show.

    `whole`: the stream has all events of all rows.
    """

    records: Sequence[StreamRecord]
    rejections: Sequence[Rejection]
    dead_letters: Sequence[DeadLetter]
    rows: Mapping[str, Row]
    whole: bool = True

    def about(self, product_ids: Collection[str]) -> Evidence:
        """The evidence about these products."""
        records = [r for r in self.records if r.partition_key in product_ids]
        rows = {each: row for each, row in self.rows.items() if each in product_ids}
        return replace(self, records=records, rows=rows)


class Problem(StrEnum):
    """What can be wrong."""

    ROW = "the row is not what its events produce"
    BEHIND = "the row does not have these events"
    NO_REJECTION = "rejected, but not in the rejected queue"
    REJECTED_TOO = "in the rejected queue, although its events do not cause a rejection"


@dataclass(frozen=True, slots=True)
class Trace:
    """An event of a difference; `status` is what should have become of it."""

    place: Place
    event_type: str
    event_id: str | None
    status: RecordStatus


@dataclass(frozen=True, slots=True)
class Difference:
    """Something wrong. `since` is its first record; None: all of them."""

    problem: Problem
    product_id: str | None
    since: Place | None
    traces: tuple[Trace, ...]
    expected: Row | None = None
    found: Row | None = None

    @property
    def key(self) -> tuple[Problem, str | None, Place | None]:
        """What stays the same while other events arrive."""
        return self.problem, self.product_id, self.since


@dataclass
class Comparison:
    """How many records of the stream have which status, and what is wrong.

    `sent_again` counts the rejected and dead-lettered events that have left their queue for the
    stream. `rows` were compared, `older_rows` not: the stream does not have their events.
    """

    statuses: Counter[RecordStatus] = field(default_factory=Counter)
    sent_again: Counter[RecordStatus] = field(default_factory=Counter)
    rows: int = 0
    older_rows: int = 0
    differences: list[Difference] = field(default_factory=list)


def compare(evidence: Evidence, policy: RemovalNamePolicy) -> Comparison:
    """Compare what was read with what the events produce."""
    invalid, products = _facts(evidence)
    result = Comparison()
    handled = {
        (product_id, facts.said.event_id)
        for product_id, events in products.items()
        for facts in events
        if facts.said.event_id is not None and not facts.in_queue
    }
    for facts in invalid:
        _compare_invalid(facts, handled, result)
    oldest = min((record.sequence_number for record in evidence.records), default=inf)
    for product_id in sorted(products.keys() | evidence.rows.keys()):
        row = evidence.rows.get(product_id)
        if product_id in products:
            _compare_product(product_id, products[product_id], row, policy, evidence.whole, result)
        elif not evidence.whole and row is not None and (row.sequence_number or 0) < oldest:
            result.older_rows += 1
        else:
            result.rows += 1
            result.differences.append(Difference(Problem.ROW, product_id, None, (), found=row))
    return result


def _facts(
    evidence: Evidence,
) -> tuple[list[Facts[InvalidEventError]], dict[str, list[Facts[Event]]]]:
    """The records without a valid event, and the others by product, both in stream order."""
    rejected = {(r.shard_id, r.sequence_number): r.code for r in evidence.rejections}
    given_up = _covered(evidence.records, evidence.dead_letters)
    invalid: list[Facts[InvalidEventError]] = []
    products: dict[str, list[Facts[Event]]] = defaultdict(list)
    later_ids: set[str | None] = set()
    origins: set[Place] = set()
    for record in sorted(evidence.records, key=lambda r: r.sequence_number, reverse=True):
        place, redriven = record.place, record.place in origins
        known = (rejected.get(place), place in given_up)
        try:
            event = parse_record(record.data, record.partition_key, record.sequence_number)
        except InvalidEventError as error:
            invalid.append(Facts(record, error, *known, redriven, redriven))
        else:
            sent_again = redriven or event.event_id in later_ids
            products[event.product_id].append(Facts(record, event, *known, sent_again, redriven))
            if event.event_id is not None:
                later_ids.add(event.event_id)
        if (origin := origin_of(record.data)) is not None:
            origins.add(origin)
    return invalid[::-1], {product_id: events[::-1] for product_id, events in products.items()}


def _covered(records: Iterable[StreamRecord], letters: Iterable[DeadLetter]) -> set[Place]:
    """The places of the records that the dead letters are about."""
    shards: dict[str, list[int]] = defaultdict(list)
    for record in records:
        shards[record.shard_id].append(record.sequence_number)
    for numbers in shards.values():
        numbers.sort()
    covered: set[Place] = set()
    for letter in letters:
        numbers = shards.get(letter.shard_id, [])
        batch = slice(bisect_left(numbers, letter.first), bisect_right(numbers, letter.last))
        covered |= {(letter.shard_id, number) for number in numbers[batch]}
    return covered


def _compare_invalid(
    facts: Facts[InvalidEventError],
    handled: Collection[tuple[str | None, str | None]],
    result: Comparison,
) -> None:
    error = facts.said
    is_dead = facts.dead_letter and facts.code is None and not facts.redriven
    status = RecordStatus.DEAD_LETTERED if is_dead else RecordStatus.REJECTED
    # Under another key it is a valid event: redrive removes it when a copy of it is applied.
    copied = error.code == KEY_DIFFERS and (error.product_id, error.event_id) in handled
    result.statuses[status] += 1
    if facts.in_queue:
        return
    if facts.redriven or copied:
        result.sent_again[status] += 1
    else:
        trace = Trace(facts.record.place, "invalid", error.event_id, status)
        result.differences.append(_of_one(Problem.NO_REJECTION, error.product_id, trace))


def _of_one(problem: Problem, product_id: str | None, trace: Trace) -> Difference:
    return Difference(problem, product_id, trace.place, (trace,))


def _compare_product(
    product_id: str,
    events: list[Facts[Event]],
    row: Row | None,
    policy: RemovalNamePolicy,
    whole: bool,
    result: Comparison,
) -> None:
    start = 0 if whole else _first_certain(events, row, policy)
    if start is None:
        result.statuses.update(_by_queue(facts) for facts in events)
        result.older_rows += row is not None
        return
    history, explained = explain(events[start:], row, policy, whole=whole)
    statuses = [_by_queue(facts) for facts in events[:start]] + history.statuses()
    behind = len(statuses)
    statuses += [RecordStatus.WAITING] * (len(events) - behind)
    pairs = list(zip(events, statuses, strict=True))
    traces = tuple(
        Trace(facts.record.place, facts.said.event_type, facts.said.event_id, status)
        for facts, status in pairs
    )
    result.statuses.update(statuses)
    result.sent_again.update(
        status
        for facts, status in pairs
        if status in (RecordStatus.REJECTED, RecordStatus.DEAD_LETTERED)
        if facts.sent_again and not facts.in_queue
    )
    result.rows += row is not None
    if not explained:
        result.differences.append(
            Difference(Problem.ROW, product_id, None, traces, history.row, row)
        )
    elif behind < len(traces):
        since = traces[behind].place
        result.differences.append(
            Difference(Problem.BEHIND, product_id, since, traces[behind:], None, row)
        )
    result.differences += _of_queue(pairs[start:behind], traces[start:behind])


def _first_certain(
    events: Sequence[Facts[Event]], row: Row | None, policy: RemovalNamePolicy
) -> int | None:
    """The index from which the events decide the row, whatever was before; None: they never do.

    A copy of an earlier event is a duplicate if that one was applied, which is not known.
    """
    last = {facts.said.event_id: index for index, facts in enumerate(events)}
    copied_until = -1
    for index, facts in enumerate(events):
        event = facts.said
        may_be_copy = index <= copied_until or _is_older_copy(event, row)
        if event.event_id is not None:
            copied_until = max(copied_until, last[event.event_id])
        if facts.in_queue or facts.sent_again or may_be_copy:
            continue
        if isinstance(event, ProductAdded):
            return index
        if isinstance(event, ProductRemoved) and (
            policy is RemovalNamePolicy.IGNORE or event.product_name is None
        ):
            return index + 1
    return None


def _is_older_copy(event: Event, row: Row | None) -> bool:
    """Whether the row had seen the event before this record: then it is a duplicate."""
    return (
        row is not None
        and row.sequence_number is not None
        and row.sequence_number < event.sequence_number
        and event.event_id in row.recent_event_ids
    )


def _by_queue(facts: Facts[Event]) -> RecordStatus:
    if facts.code is not None:
        return RecordStatus.REJECTED
    return RecordStatus.DEAD_LETTERED if facts.dead_letter else RecordStatus.UNKNOWN


def _of_queue(
    pairs: Sequence[tuple[Facts[Event], RecordStatus]], traces: Sequence[Trace]
) -> Iterator[Difference]:
    """What the rejected queue has too much or not at all.

    A rejection leaves it with a redrive, or when a copy of its event has been applied. The function
    sends it before it writes. So a rejection that depends on the row may be due to an earlier event
    that the pipe gave up later.
    """
    applied = {facts.said.event_id for facts, status in pairs if status is RecordStatus.APPLIED}
    follows_dead_letter = False
    for (facts, status), trace in zip(pairs, traces, strict=True):
        copied = facts.sent_again and facts.said.event_id in applied
        if status is not RecordStatus.REJECTED:
            due_to_row = isinstance(facts.said, ProductRemoved | QuantityMoved)
            if facts.code is not None and not (due_to_row and follows_dead_letter):
                yield _of_one(Problem.REJECTED_TOO, facts.said.product_id, trace)
        elif not (facts.in_queue or facts.redriven or copied):
            yield _of_one(Problem.NO_REJECTION, facts.said.product_id, trace)
        redriven_letter = facts.redriven and status is not RecordStatus.REJECTED
        follows_dead_letter |= facts.dead_letter or redriven_letter
