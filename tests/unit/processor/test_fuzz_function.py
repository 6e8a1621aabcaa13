"""The function under arbitrary input: it never ends in an exception, and accounts for each record.

The real handler runs on a table and a topic in memory that refuse what DynamoDB and SNS refuse.
"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from tests.unit.processor.oracle import Oracle, plain
from tests.unit.processor.outages import TABLES, FakeDynamoDB, FakeSns, Time, refused, updated

from fuzzing import tries
from hostile_events import ANYTHING, PAYLOADS, PRODUCTS, flat, likely, nested_records, written
from hostile_items import items
from inventory.event import InvalidEventError
from inventory.items import ATTRIBUTES, row_of
from inventory.rejections import Rejection, parse_rejection
from inventory.stock import Outcome, RemovalNamePolicy
from inventory.stream import StreamRecord
from operations.expectation import expect
from operations.verify.compare import Evidence, verify
from processor import handler as function
from processor.handler import Settings
from processor.records import Record, UnknownInvocationError, records_of
from processor.rejections import MAX_BYTES

# Whole, though it is long: an example that cannot be seen is of no use.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000, aws_request_id="r")
IGNORE = RemovalNamePolicy.IGNORE
POOL = ThreadPoolExecutor(1)


class StrictDynamoDB(FakeDynamoDB):
    """It has the limits of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

    def _get(self, request: Any) -> Any:
        [wanted] = request.values()
        if any(not _is_key(key["product_id"]["S"]) for key in wanted["Keys"]):
            raise refused("ValidationException", 400)
        return super()._get(request)

    def _transact(self, writes: list[Any]) -> Any:
        updates = [write["Update"] for write in writes if "Update" in write]
        items = [update["Key"] | updated(update) for update in updates]
        if not all(_is_key(item["product_id"]["S"]) and _fits(item) for item in items):
            raise refused("ValidationException", 400)
        return super()._transact(writes)


def _is_key(text: str) -> bool:
    return 1 <= len(text.encode("utf-8")) <= 2_048


def _fits(item: dict[str, Any]) -> bool:
    number = Decimal(item["quantity"]["N"])
    digits = len(number.as_tuple().digits)
    size = len(json.dumps(item, ensure_ascii=False).encode("utf-8"))
    return digits <= 38 and size <= 400_000


class StrictSns(FakeSns):
    """It has the limits of https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""

    def _publish(self, entries: Any) -> Any:
        sizes = [len(entry["Message"].encode("utf-8")) for entry in entries]
        if sum(sizes) > MAX_BYTES:
            raise refused("BatchRequestTooLong", 400)
        if not 1 <= len(entries) <= 10:
            raise refused("TooManyEntriesInBatchRequest", 400)
        return super()._publish(entries)


@dataclass
class World:
    """A deployed function, its table and its topic."""

    time: Time = field(default_factory=Time)
    log: io.StringIO = field(default_factory=io.StringIO)
    metrics: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.dynamodb = StrictDynamoDB(self.time)
        self.sns = StrictSns(self.time)

    def call(self, invocation: Any) -> list[str]:
        """The ids that the handler says have failed."""
        connections = Settings(TABLES, "topic", IGNORE), self.dynamodb, self.sns, POOL
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(function, "_connections", lambda: connections)
            patch.setattr(function, "Deadline", lambda at: self.time.deadline_in(45))
            patch.setattr(function.logger.handlers[0], "stream", self.log)
            with redirect_stdout(self.metrics):
                answer = function.handler(invocation, CONTEXT)
        json.dumps(answer)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log, as a reader that knows every line end finds them."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def rejections(self) -> list[Rejection]:
        found = [parse_rejection(message) for message in self.sns.published]
        assert None not in found
        return cast(list[Rejection], found)


KEYS = st.sampled_from([None] * 27 + ["P1", "another", "\x00"])
"""The partition key of a record: mostly that of its product."""


def batches() -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.tuples(PAYLOADS, KEYS), min_size=1, max_size=8).map(
        lambda sent: [flat(number, *each) for number, each in enumerate(sent, start=1)]
    )


BROKEN: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {},
    optional={
        "data": st.sampled_from(["", "!", "e30", "e30=\n", "é", "\ud800", "=" * 300_000]),
        "sequenceNumber": st.sampled_from(["", "x", "-1", "²", "1.0", "\ud800", "1" * 4_301]),
    },
)


@st.composite
def broken_batches(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of Kinesis' shape, with data and sequence numbers that Kinesis would not give."""
    return [record | draw(BROKEN) for record in draw(batches())]


def whole(record: Record) -> bool:
    """Whether it has what every record of Kinesis has."""
    try:
        record.payload()
        return record.sequence_number.isascii() and 1 <= int(record.sequence_number) < 10**56
    except (InvalidEventError, ValueError):
        return False


def on_stream(records: Sequence[Record]) -> list[StreamRecord]:
    return [
        StreamRecord(r.shard_id, int(r.sequence_number), r.arrived_at, r.payload(), r.partition_key)
        for r in records
    ]


def assert_all_accounted_for(world: World, records: Sequence[Record]) -> None:
    """Table, topic and log agree with the fold of the records, which were delivered once."""
    stream = on_stream([record for record in records if whole(record)])
    expected = expect({}, [(r.sequence_number, r.partition_key, r.data) for r in stream], IGNORE)
    rows = {product: row_of(item) for product, item in world.dynamodb.items.items()}
    assert rows == expected.rows
    oracle = Oracle()
    told = [oracle.put(r.sequence_number, r.partition_key, r.data) for r in stream]
    assert Counter(outcome.partition(" ")[0] for outcome in told) == expected.outcomes
    assert {product: plain(item) for product, item in world.dynamodb.items.items()} == oracle.rows

    [batch] = [line for line in world.lines() if line["message"] == "batch"]
    counts = Counter({outcome: batch[outcome] for outcome in Outcome if batch[outcome]})
    broken = len(records) - len(stream)
    assert counts == expected.outcomes + Counter({Outcome.REJECTED: broken} if broken else {})
    assert counts.total() == len(records)
    refusals = [line for line in world.lines() if line["message"] == "record rejected"]
    assert len(refusals) == counts[Outcome.REJECTED]

    assert len(world.sns.published) == counts[Outcome.REJECTED]
    if not broken:
        assert {r.sequence_number for r in world.rejections()} == expected.rejected
        verdict = verify(Evidence(stream, world.rejections(), (), rows), IGNORE)
        assert verdict.differences == ()


def assert_payloads_are_kept(world: World, records: Sequence[Record]) -> None:
    for message in map(json.loads, world.sns.published):
        alike = [r for r in records if r.sequence_number == message["sequence_number"]]
        assert any(_is_kept(record, message) for record in alike)


def _is_kept(record: Record, message: dict[str, Any]) -> bool:
    try:
        data = record.payload()
    except InvalidEventError:
        sent, encoding = record.data, "none"
    else:
        sent, encoding = base64.b64encode(data).decode(), "base64"
        with suppress(UnicodeDecodeError):
            sent, encoding = data.decode(), "utf-8"
    kept = message["payload"]
    whole = sent.startswith(kept) if message["payload_truncated"] else sent == kept
    return whole and encoding == message["payload_encoding"]


@tries(250)
@given(batches(), st.booleans())
def test_each_record_has_the_outcome_that_the_rules_say(
    batch: list[dict[str, Any]], mapping: bool
) -> None:
    world = World()
    assert world.call(nested_records(batch) if mapping else batch) == []
    assert_all_accounted_for(world, records_of(batch))
    assert_payloads_are_kept(world, records_of(batch))

    rows = dict(world.dynamodb.items)
    assert world.call(batch) == []
    assert world.dynamodb.items == rows


@tries(80)
@given(broken_batches())
def test_a_broken_record_is_rejected_alone(
    batch: list[dict[str, Any]],
) -> None:
    world = World()
    assert world.call(batch) == []
    assert_all_accounted_for(world, records_of(batch))
    assert_payloads_are_kept(world, records_of(batch))


@tries(80)
@given(batches(), st.booleans(), st.data())
def test_records_fail_in_an_outage_and_are_done_by_the_retry(
    batch: list[dict[str, Any]], mapping: bool, data: st.DataObject
) -> None:
    world = World()
    identifier = "sequenceNumber" if mapping else "eventID"
    sent = {record[identifier] for record in batch}
    down = data.draw(st.sampled_from([world.dynamodb, world.sns]), label="what is down")
    down.up_at = world.time.now + 120
    failed = world.call(nested_records(batch) if mapping else batch)
    assert set(failed) <= sent
    assert len(failed) == len(set(failed))
    world.time.now = down.up_at
    assert world.call([record for record in batch if record[identifier] in failed]) == []

    stream = on_stream(records_of(batch))
    rows = {product: row_of(item) for product, item in world.dynamodb.items.items()}
    assert verify(Evidence(stream, world.rejections(), (), rows), IGNORE).differences == ()


@tries(150)
@given(batches(), st.fixed_dictionaries({product: items(product) for product in PRODUCTS}))
def test_rows_that_somebody_else_wrote_keep_their_attributes(
    batch: list[dict[str, Any]], written_by_others: dict[str, Any]
) -> None:
    world = World()
    world.dynamodb.items = dict(written_by_others)
    before = {product: row_of(item) for product, item in written_by_others.items()}
    assert world.call(batch) == []

    records = on_stream(records_of(batch))
    sent = [(r.sequence_number, r.partition_key, r.data) for r in records]
    expected = expect(before, sent, IGNORE)
    after = world.dynamodb.items
    assert {product: row_of(item) for product, item in after.items()} == expected.rows
    for product in after.keys() & written_by_others.keys():
        if not any(b"product_removed" in payload for *_, payload in sent):
            added = written_by_others[product].keys() - ATTRIBUTES
            assert after[product].keys() - ATTRIBUTES == added
            assert all(after[product][name] == written_by_others[product][name] for name in added)


MEMBERS = st.sampled_from(
    ["eventID", "sequenceNumber", "partitionKey", "data", "approximateArrivalTimestamp"]
)


@st.composite
def near_invocations(draw: st.DrawFn) -> Any:
    """What is sent, in either form, with a part of it missing or another."""
    batch: Any = draw(batches().map(lambda records: records[:3]))
    invocation = nested_records(batch) if draw(st.booleans()) else batch
    records: list[Any] = invocation["Records"] if isinstance(invocation, dict) else invocation
    place = draw(st.integers(0, len(records) - 1))
    record = records[place]
    match draw(st.sampled_from(["record", "remove", "replace", "part"])):
        case "record":
            records[place] = draw(ANYTHING)
        case "part" if "kinesis" in record:
            record["kinesis"] = draw(ANYTHING)
        case change:
            name = draw(MEMBERS)
            part = record if name in record else record["kinesis"]
            del part[name]
            if change == "replace":
                part[name] = draw(likely(name))
    return invocation


@tries(150)
@given(
    st.one_of(
        near_invocations(),
        near_invocations(),
        ANYTHING,
        st.fixed_dictionaries({"Records": ANYTHING}),
    )
)
def test_an_invocation_is_handled_or_is_an_error_of_one_line(invocation: Any) -> None:
    received = _received(invocation)
    world = World()
    try:
        failed = world.call(received)
    except UnknownInvocationError as refusal:
        said = str(refusal)
        assert said.isprintable()
        assert world.dynamodb.items == {}
        assert world.sns.published == []
        assert world.lines() == []
    else:
        records = records_of(received)
        assert set(failed) <= {record.item_identifier for record in records}
        assert world.lines()[-1]["records"] == len(records)


def _received(invocation: Any) -> Any:
    """As Lambda hands it over; what Python's reader gives up on gets as far as no handler."""
    try:
        return json.loads(written(invocation))
    except (RecursionError, ValueError):
        reject()
