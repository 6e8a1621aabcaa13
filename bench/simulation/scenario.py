"""What is simulated, and the events of it: the same of the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

FIRST_NUMBER = 4_960_000_000_000
"""The sequence number of the first event."""


@dataclass(frozen=True)
class Scenario:
    """Rates are a second; `table_units` is the quota of the table, None for no limit.

    From `outage` seconds on the table takes a tenth of its quota, for a second. At `reshard` the
    shard of the hottest product and `splits` others are split, and as many pairs are merged.
    """

    rate: float
    shards: int
    products: int
    seconds: float
    table_units: float | None
    concurrency: int = 1_000
    hottest: float = 0.004
    hot: int = 10
    removals: float = 0.1
    additions: float = 0.2
    crashes: float = 0.001
    outage: float | None = None
    reshard: float | None = None
    splits: int = 0
    batch: int = 500
    window: float = 1.0
    lanes: int = 1
    memory: int = 512
    seed: int = 8


class Put(NamedTuple):
    """An event before it is a record: when the producer has it, and what it says."""

    at: float
    number: int
    product: int
    kind: str
    amount: int


def puts(scenario: Scenario) -> Iterator[Put]:
    """Steady in time. The hottest product has its share, nine others half of it, the rest alike."""
    dice = random.Random(scenario.seed)
    hottest, warm = scenario.hottest, scenario.hottest / 2
    hot_share = hottest + warm * (scenario.hot - 1)
    for number in range(int(scenario.rate * scenario.seconds)):
        point = dice.random()
        if point < hottest:
            product = 0
        elif point < hot_share:
            product = 1 + int((point - hottest) / warm)
        else:
            product = dice.randrange(scenario.hot, scenario.products)
        point = dice.random()
        kind = (
            "product_removed"
            if point < scenario.removals
            else "product_added"
            if point < scenario.removals + scenario.additions
            else "product_quantity_changed"
        )
        yield Put(number / scenario.rate, number, product, kind, dice.randrange(1, 500))


def json_of(put: Put) -> str:
    """The event as it is on the stream. A change that has no row to change is `not_found`."""
    product = f'"product_id":"P{put.product}"'
    if put.kind == "product_added":
        product += (
            f',"product_name":"Product {put.product}","quantity":{put.amount}'
            ',"timestamp":"2023-07-22 08:15:33"'
        )
    elif put.kind == "product_quantity_changed":
        product += f',"quantity_change":{put.amount - 200}'
    return (
        f'{{"event_type":"{put.kind}","event_id":"01JD9ZB6Q3M0V6T1{put.number:010d}",'
        f'"product":{{{product}}}}}'
    )
