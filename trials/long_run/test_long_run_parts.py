"""What a long run is made of: its traffic, what it knows to be under way, when it has failed."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from endings import HANDLER, REAL, Ending, variant
from inventory.event import InvalidEventError, parse
from long_run import report
from long_run.ledger import Ledger
from long_run.plan import Blow, Plan
from long_run.run import Run, Struck
from long_run.traffic import Put, traffic
from long_run.verified import Verified
from operations.function_log import Progress
from operations.verify.explain import RecordStatus
from stack import EmbeddedBackend, Stack

COUNT = 10_000
PUTS = traffic(seed=3, count=COUNT, products=500, hanging=2)


def is_valid(put: Put) -> bool:
    try:
        parse(put.event.payload, 1)
    except InvalidEventError:
        return False
    return True


def test_a_fifth_of_the_events_comes_again_byte_for_byte() -> None:
    assert len(PUTS) == COUNT
    seen: set[bytes] = set()
    for put in PUTS:
        assert (put.event.payload in seen) == put.repeated
        seen.add(put.event.payload)
    assert sum(put.repeated for put in PUTS) == COUNT // 5


def test_repetitions_come_soon_and_much_later() -> None:
    places: dict[bytes, list[int]] = {}
    for place, put in enumerate(PUTS):
        places.setdefault(put.event.payload, []).append(place)
    distances = [b - a for found in places.values() for a, b in pairwise(found)]
    assert min(distances) == 1
    assert max(distances) > COUNT // 10


def test_the_shares_of_bad_events_are_as_said() -> None:
    invalid = [put for put in PUTS if put.event.invalid]
    crashing = [put for put in PUTS if put.ending]
    assert len(invalid) == pytest.approx(0.05 * COUNT, rel=0.15)
    assert len({put.event.kind for put in invalid}) > 10
    assert len(crashing) == pytest.approx(0.01 * COUNT, rel=0.15)
    assert Counter(put.ending for put in crashing if not put.repeated)[Ending.HANGS] == 2
    assert {put.ending for put in crashing} == set(Ending)


def test_what_crashes_is_valid_and_what_is_invalid_is_not() -> None:
    assert all(is_valid(put) != put.event.invalid for put in PUTS)


def test_a_seed_is_the_same_traffic_and_another_is_not() -> None:
    def again(seed: int) -> list[Put]:
        return traffic(seed, 500, products=50, hanging=1)

    assert again(1) == again(1) != again(2)


def test_the_variant_keeps_the_function_beside_its_own_handler() -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(HANDLER, "the real one")
        archive.writestr("processor/store.py", "the store")
    with zipfile.ZipFile(io.BytesIO(variant(package.getvalue()))) as changed:
        assert changed.read(REAL) == b"the real one"
        assert changed.read("processor/store.py") == b"the store"
        assert b"real_handler" in changed.read(HANDLER)
        assert len(changed.namelist()) == 3


def test_what_comes_after_the_last_that_was_handled_is_under_way() -> None:
    ledger = Ledger()
    ledger.put([("a", 1), ("a", 2), ("b", 3), ("a", 4)])
    assert ledger.under_way(Progress()) == {"a": 3, "b": 1}
    assert ledger.under_way(Progress(last_sequence_numbers={"a": 2, "b": 3})) == {"a": 1, "b": 0}


def test_a_plan_kills_twice_and_reshards_in_between() -> None:
    assert Plan(seed=1, events=3000).blows == [
        (1000, Blow.KILL),
        (1500, Blow.RESHARD),
        (2000, Blow.KILL),
    ]


REPORT = """Events    3 on the stream
  applied             2, 1 of them put again since
  dead lettered       1
Rows      2 checked
All is well: …
"""


def test_the_counts_of_a_verification_are_read() -> None:
    verified = Verified(0, REPORT)
    assert verified.on_the_stream == 3
    assert verified.statuses == Counter({RecordStatus.APPLIED: 2, RecordStatus.DEAD_LETTERED: 1})


def run() -> Run:
    """That went well: three records, one of which crashes the function."""
    fresh = [put for put in PUTS if put.event.kind == "product_added" and not put.repeated][:2]
    crashing = next(put for put in PUTS if put.ending)
    plan = Plan(seed=1, events=3)
    return Run(
        cast(EmbeddedBackend, SimpleNamespace()),
        cast(Stack, SimpleNamespace()),
        plan,
        print,
        placed=[("a", number, put) for number, put in enumerate([*fresh, crashing], 1)],
        struck=[Struck(blow, 1.0, under_way=5) for _, blow in plan.blows],
        open_shards=plan.shards[1],
        verified=Verified(0, REPORT),
    )


def test_nothing_is_wrong_with_a_run_that_went_well() -> None:
    assert list(report.findings(run())) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"verified": Verified(1, REPORT)}, "inventory verify ended with 1"),
        (
            {"verified": Verified(0, REPORT.replace("3 on", "2 on"))},
            "3 records were put, verify found 2",
        ),
        (
            {"verified": Verified(0, REPORT.replace("dead lettered", "rejected     "))},
            "verify counted applied: 2, rejected: 1, expected was applied: 2, dead_lettered: 1",
        ),
        ({"struck": []}, "not all that was planned was done to the pipeline"),
        ({"open_shards": 8}, "8 shards are open, not 12"),
    ],
)
def test_what_is_wrong_with_a_run_is_said(changed: dict[str, Any], found: str) -> None:
    assert list(report.findings(replace(run(), **changed))) == [found]


def test_a_blow_with_nothing_under_way_is_no_blow() -> None:
    idle = [replace(struck, under_way=0) for struck in run().struck]
    found = list(report.findings(replace(run(), struck=idle)))
    assert found == [f"nothing was under way: {struck.blow}" for struck in idle]
