"""The promise, held against the evidence: the table is the fold of the stream, nothing is lost.

Each event on the stream must be in exactly one of: applied, or superseded as a duplicate; not
found; rejected, with its reason in the rejected queue, or put again since; dead-lettered, or put
again since. Pure.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from inventory.dead_letters import DeadLetter
from inventory.event import (
    KEY_DIFFERS,
    Event,
    InvalidEventError,
    ProductAdded,
    ProductRemoved,
    QuantityMoved,
    QuantitySet,
    parse_record,
)
from inventory.items import ATTRIBUTES
from inventory.rejections import Rejection
from inventory.stock import RemovalNamePolicy, Row
from inventory.stream import Place, StreamRecord
from operations.failures.again import origin_of
from operations.verify.explanation import Explanation, Fate, Item, contradicted, explain
from operations.verify.verdict import Difference, Problem, Trace, Verdict

EVENT_TYPES: Mapping[type[Event], str] = {
    ProductAdded: "product_added",
    ProductRemoved: "product_removed",
    QuantitySet: "product_quantity_changed",
    QuantityMoved: "product_quantity_changed",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is: the stream was read last, so that it has every event that the others show.

    `whole`: the stream has the events that all rows were made of.
    """

    records: Sequence[StreamRecord]
    rejections: Sequence[Rejection]
    dead_letters: Sequence[DeadLetter]
    rows: Mapping[str, Row]
    whole: bool = True

    def about(self, product_ids: Collection[str]) -> Evidence:
        """The part of it that is about these products."""
        records = [r for r in self.records if r.partition_key in product_ids]
        rows = {each: row for each, row in self.rows.items() if each in product_ids}
        return replace(self, records=records, rows=rows)


def verify(evidence: Evidence, names: RemovalNamePolicy) -> Verdict:
    """Hold what there is against what must be."""
    stream = _Stream.of(evidence)
    judgements = [_of_invalid(finding, stream.handled) for finding in stream.invalid]
    oldest = min((record.sequence_number for record in evidence.records), default=inf)
    for product_id in sorted(stream.products.keys() | evidence.rows.keys()):
        items, row = stream.products.get(product_id, []), evidence.rows.get(product_id)
        if items:
            judgements.append(_of_product(product_id, items, row, names, evidence.whole))
        elif row is not None:
            judgements.append(_of_row_alone(row, oldest, evidence.whole))
    return Verdict(
        fates=sum((j.fates for j in judgements), Counter()),
        put_again=sum((j.put_again for j in judgements), Counter()),
        applied_after_all=sum(j.applied_after_all for j in judgements),
        rows=sum(j.rows for j in judgements),
        older_rows=sum(j.older_rows for j in judgements),
        extended_rows=sum(bool(r.foreign.keys() - ATTRIBUTES) for r in evidence.rows.values()),
        differences=tuple(d for j in judgements for d in j.differences),
    )


@dataclass(frozen=True, slots=True)
class _Invalid:
    """A record that holds no event."""

    record: StreamRecord
    error: InvalidEventError
    rejection: bool
    dead_letter: bool
    redriven: bool


@dataclass(frozen=True)
class _Stream:
    """The records, with what the queues say of each; a product's in stream order.

    `handled` has the product and the id of each event that is in neither queue.
    """

    invalid: list[_Invalid]
    products: dict[str, list[Item]]
    handled: set[tuple[str, str]]

    @classmethod
    def of(cls, evidence: Evidence) -> _Stream:
        rejected = {(r.shard_id, r.sequence_number): r.code for r in evidence.rejections}
        given_up = _covered(evidence.records, evidence.dead_letters)
        invalid: list[_Invalid] = []
        products: dict[str, list[Item]] = {}
        later_ids: set[str] = set()
        origins: set[Place] = set()
        handled: set[tuple[str, str]] = set()
        for record in sorted(evidence.records, key=lambda r: r.sequence_number, reverse=True):
            said = _said(record)
            known = (record.place in rejected, record.place in given_up)
            redriven = record.place in origins
            if isinstance(said, InvalidEventError):
                invalid.append(_Invalid(record, said, *known, redriven))
            else:
                put_again = redriven or said.event_id in later_ids
                code = rejected.get(record.place)
                item = Item(record, said, known[0], code, known[1], put_again, redriven)
                products.setdefault(said.product_id, []).append(item)
                if said.event_id is not None:
                    later_ids.add(said.event_id)
                    if not any(known):
                        handled.add((said.product_id, said.event_id))
            if (origin := origin_of(record.data)) is not None:
                origins.add(origin)
        ordered = {product: items[::-1] for product, items in products.items()}
        return cls(invalid[::-1], ordered, handled)


def _said(record: StreamRecord) -> Event | InvalidEventError:
    try:
        return parse_record(record.data, record.partition_key, record.sequence_number)
    except InvalidEventError as error:
        return error


def _covered(records: Iterable[StreamRecord], letters: Iterable[DeadLetter]) -> set[Place]:
    shards: dict[str, list[int]] = {}
    for record in records:
        shards.setdefault(record.shard_id, []).append(record.sequence_number)
    for numbers in shards.values():
        numbers.sort()
    covered: set[Place] = set()
    for letter in letters:
        numbers = shards.get(letter.shard_id, [])
        run = slice(bisect_left(numbers, letter.first), bisect_right(numbers, letter.last))
        covered |= {(letter.shard_id, number) for number in numbers[run]}
    return covered


def _of_invalid(finding: _Invalid, handled: Collection[tuple[str | None, str | None]]) -> Verdict:
    error = finding.error
    if finding.rejection or finding.redriven or not finding.dead_letter:
        fate = Fate.REJECTED
    else:
        fate = Fate.DEAD_LETTERED
    gone = not (finding.rejection or finding.dead_letter)
    # Under another key it is a valid event: a redrive forgets it when a copy of it is applied.
    copied = error.code == KEY_DIFFERS and (error.product_id, error.event_id) in handled
    again = finding.redriven or copied
    verdict = Verdict(Counter({fate: 1}), Counter({fate: 1} if gone and again else {}))
    if not gone or again:
        return verdict
    trace = Trace(finding.record.place, "invalid", error.event_id, fate)
    return replace(verdict, differences=(_of_one(Problem.NO_REJECTION, error, trace),))


def _of_one(problem: Problem, said: Event | InvalidEventError, trace: Trace) -> Difference:
    return Difference(problem, said.product_id, trace.place, (trace,))


def _of_row_alone(row: Row, oldest: float, whole: bool) -> Verdict:
    """A row that no event on the stream is about."""
    number = row.sequence_number
    if not whole and (number is None or number < oldest):
        return Verdict(older_rows=1)
    return Verdict(
        rows=1, differences=(Difference(Problem.ROW, row.product_id, None, (), found=row),)
    )


def _of_product(
    product_id: str, items: list[Item], row: Row | None, names: RemovalNamePolicy, whole: bool
) -> Verdict:
    start = 0 if whole else _first_certain(items, row, names)
    if start is None:
        fates = [_without_fold(item) for item in items]
        return Verdict(Counter(fates), older_rows=int(row is not None))
    told = explain(items[start:], row, names, whole=whole)
    fates = [_without_fold(item) for item in items[:start]] + told.history.fates()
    behind = len(fates)
    fates += [Fate.WAITING] * (len(items) - behind)
    pairs = list(zip(items, fates, strict=True))
    traces = tuple(
        Trace(item.record.place, EVENT_TYPES[type(item.event)], item.event.event_id, fate)
        for item, fate in pairs
    )
    return Verdict(
        fates=Counter(fates),
        put_again=Counter(fate for item, fate in pairs if _left_its_queue(item, fate)),
        applied_after_all=sum(i.dead_letter and fate is Fate.APPLIED for i, fate in pairs),
        rows=int(row is not None),
        differences=(
            *_of_fold(product_id, told, row, traces, behind),
            *_of_queue(pairs[start:behind], traces[start:behind]),
        ),
    )


def _first_certain(items: Sequence[Item], row: Row | None, names: RemovalNamePolicy) -> int | None:
    """From where on the events say all, whatever was before them: None when they never do.

    A copy of an event before it is a duplicate if that one was applied, which is not known.
    """
    last: dict[str | None, int] = {
        item.event.event_id: index for index, item in enumerate(items) if item.event.event_id
    }
    copied_until = -1
    for index, item in enumerate(items):
        may_be_copy = index <= copied_until or _is_older_copy(item, row)
        copied_until = max(copied_until, last.get(item.event.event_id, -1))
        if item.dead_letter or item.put_again or item.rejection or may_be_copy:
            continue
        if isinstance(item.event, ProductAdded):
            return index
        if isinstance(item.event, ProductRemoved) and (
            names is RemovalNamePolicy.IGNORE or item.event.product_name is None
        ):
            return index + 1
    return None


def _is_older_copy(item: Item, row: Row | None) -> bool:
    """Whether the row had seen the event before any that is on the stream: it is a duplicate."""
    return (
        row is not None
        and row.sequence_number is not None
        and row.sequence_number < item.record.sequence_number
        and item.event.event_id in row.recent_event_ids
    )


def _without_fold(item: Item) -> Fate:
    if item.rejection:
        return Fate.REJECTED
    return Fate.DEAD_LETTERED if item.dead_letter else Fate.UNKNOWN


def _left_its_queue(item: Item, fate: Fate) -> bool:
    failed = fate in (Fate.REJECTED, Fate.DEAD_LETTERED)
    return failed and item.put_again and not (item.rejection or item.dead_letter)


def _of_fold(
    product_id: str, told: Explanation, row: Row | None, traces: tuple[Trace, ...], behind: int
) -> Iterator[Difference]:
    if not told.explained:
        yield Difference(Problem.ROW, product_id, None, traces, told.history.row, row)
    elif behind < len(traces):
        yield Difference(
            Problem.BEHIND, product_id, traces[behind].place, traces[behind:], None, row
        )


def _of_queue(pairs: Sequence[tuple[Item, Fate]], traces: Sequence[Trace]) -> Iterator[Difference]:
    applied = {item.event.event_id for item, fate in pairs if fate is Fate.APPLIED}
    for (item, fate), trace in zip(pairs, traces, strict=True):
        if contradicted(item, fate):
            problem = Problem.REJECTED_TOO if item.rejection else Problem.NO_REJECTION
            yield _of_one(problem, item.event, trace)
        elif fate is Fate.REJECTED and not (
            # Without a redrive it leaves its queue only when a copy of it has come to be applied.
            item.rejection or item.redriven or item.dead_letter or item.event.event_id in applied
        ):
            yield _of_one(Problem.NO_REJECTION, item.event, trace)
