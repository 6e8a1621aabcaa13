"""The events that the pipeline has to come through the faults with."""

from __future__ import annotations

from itertools import islice
from random import Random

from producer.generator import Spec, events

PRODUCTS = 25
COUNT = 300
INVALID_SHARE = 0.05
AGAIN = 0.1
"""The share of events that are put once more, some events later."""

Payload = tuple[str, bytes]
"""Partition key and data."""


def mixed(seed: int, count: int = COUNT) -> list[Payload]:
    """`count` generated events of all types, in their order, and copies of some behind them."""
    dice = Random(seed)
    found: list[Payload] = []
    spec = Spec(seed, PRODUCTS, invalid_share=INVALID_SHARE)
    for event in islice(events(spec), count):
        found.append((event.partition_key, event.payload))
        if dice.random() < AGAIN:
            found.append(found[-dice.randint(1, min(len(found), 30))])
    return found
