"""The function agrees with the oracle, however its batches are cut and delivered again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast
from zlib import crc32

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.unit.processor.oracle import Oracle, plain
from tests.unit.processor.outages import TABLES, Time
from tests.unit.processor.test_fuzz_function import POOL, StrictDynamoDB, StrictSns

from fuzzing import tries
from hostile_events import (
    DIGITS,
    HALVES,
    HOSTILE_TEXTS,
    LONG_TEXTS,
    NUMBERS,
    Literal,
    Members,
    flat,
    key_of,
    nested,
    written,
)
from inventory.stock import RemovalNamePolicy
from processor.processor import process
from processor.records import records_of
from processor.rejections import RejectionsTopic
from processor.store import Store

EVENTS = 1000
SHARDS = 3
NAMES = ("Tablet", "Phone")
VALUES: list[Any] = [
    *(None, True, [], {}, "P1", -1, nested(99), nested(101), nested(100_000)),
    *map(Literal, NUMBERS),
    *DIGITS,
    *HOSTILE_TEXTS,
    *HALVES,
    *LONG_TEXTS[:-1],
]
BYTES = [b"", b"{", b"[]", b"\xff", b"\xef\xbb\xbf{}", b"x" * 300]


@dataclass
class Producer:
    """Random events of a few products, valid and not, and copies of the latest of them."""

    dice: Random
    latest: dict[str, list[bytes]] = field(default_factory=dict)

    def put(self) -> tuple[str, bytes]:
        """A partition key and data."""
        data = self._data()
        foreign = self.dice.random() < 0.05
        return self.dice.choice(["P1", "P2", "another"]) if foreign else key_of(data), data

    def _data(self) -> bytes:
        dice = self.dice
        product_id = f"P{dice.choice([1, 1, 1, dice.randint(2, 12)])}"
        latest = self.latest.setdefault(product_id, [])
        if latest and dice.random() < 0.15:
            return dice.choice(latest[-40:])
        product = Members([("product_id", product_id)])
        kind = dice.choices(["added", "removed", "quantity_changed"], [3, 1, 6])[0]
        match kind:
            case "added":
                product += [("product_name", dice.choice(NAMES)), ("quantity", self._level())]
                if dice.random() < 0.5:
                    product.append(("timestamp", "2023-07-22 08:15:33"))
            case "removed":
                if dice.random() < 0.5:
                    product.append(("product_name", dice.choice([None, 5, *NAMES])))
            case _ if dice.random() < 0.3:
                product.append(("quantity", self._level()))
            case _:
                change = dice.choice([dice.randint(-30, 30), "+7", "-7"])
                product.append(("quantity_change", change))
        event = Members([("event_type", f"product_{kind}"), ("product", product)])
        if dice.random() < 0.8:
            event.append(("event_id", f"e{dice.getrandbits(64)}"))
        if dice.random() < 0.1:
            self._spoil(dice.choice([event, product]))
        data = dice.choice(BYTES) if dice.random() < 0.01 else written(event).encode()
        latest.append(data)
        return data

    def _level(self) -> object:
        level = self.dice.randint(0, 50)
        return self.dice.choice([level, level, f"{level}", Literal(f"{level}.0"), "9" * 38])

    def _spoil(self, members: Members) -> None:
        dice = self.dice
        place = dice.randrange(len(members))
        name, _ = members[place]
        match dice.choice(["replace", "replace", "remove", "twice", "more"]):
            case "replace":
                members[place] = (name, dice.choice(VALUES))
            case "remove":
                del members[place]
            case "twice":
                members.append((name, dice.choice(VALUES)))
            case _:
                more = dice.choice(["quantity", "quantity_change", "timestamp", "event_id", "x"])
                members.append((more, dice.choice(VALUES)))


def deliveries(shard: list[dict[str, Any]], dice: Random) -> Iterator[list[dict[str, Any]]]:
    """Batches of a shard, cut at random; some go back behind what was delivered before."""
    done = 0
    while done < len(shard):
        start = max(0, done - dice.choice([0, 0, 0, dice.randint(1, 40), done]))
        end = min(len(shard), start + dice.randint(1, 60))
        yield shard[start:end]
        done = max(done, end)


@settings(tries(100), phases=[Phase.generate])  # a smaller example says no more
@given(st.integers(0, 2**32), st.sampled_from(RemovalNamePolicy))
def test_table_outcomes_and_rejections_are_those_of_the_oracle(
    seed: int, names: RemovalNamePolicy
) -> None:
    dice = Random(seed)
    producer, oracle = Producer(dice), Oracle(enforce_names=names is RemovalNamePolicy.ENFORCE)
    shards: list[list[dict[str, Any]]] = [[] for _ in range(SHARDS)]
    expected: dict[str, str] = {}
    for n in range(EVENTS):
        key, data = producer.put()
        shard = crc32(key.encode()) % SHARDS
        # Numbers of two shards are far apart: compared, they say that one is older than the other.
        record = flat(shard * 10**20 + n, data, key)
        shards[shard].append(record)
        expected[record["eventID"]] = oracle.put(int(record["sequenceNumber"]), key, data)

    time = Time()
    dynamodb, sns = StrictDynamoDB(time), StrictSns(time)
    deadline = time.deadline_in(45)
    store = Store(cast(Any, dynamodb), TABLES, POOL, deadline)
    topic = RejectionsTopic(cast(Any, sns), "topic", deadline)
    handled: set[str] = set()
    running = [deliveries(shard, dice) for shard in shards]
    while running:
        batches = dice.choice(running)
        batch = next(batches, None)
        if batch is None:
            running.remove(batches)
            continue
        for result in process(records_of(batch), store, topic, names):
            name, outcome = result.record.event_id, result.outcome.value
            if name not in handled:
                wanted = expected[name].split(" ")[0]
                assert outcome == wanted, (name, result.record.payload(), result.reason)
        handled |= {record["eventID"] for record in batch}

    assert {p: plain(item) for p, item in dynamodb.items.items()} == oracle.rows
    published = {m["sequence_number"]: m["code"] for m in map(json.loads, sns.published)}
    rejected = {
        name.partition(":")[2]: outcome.partition(" ")[2]
        for name, outcome in expected.items()
        if outcome.startswith("rejected")
    }
    # A rejection too many: a product that is removed before the batch comes again has no row.
    assert published.keys() >= rejected.keys()
    assert all(published[number] == code for number, code in rejected.items() if code)
