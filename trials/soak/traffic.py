"""The records that are put, and which of them a pipe is to deliver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

KEYS = 200
COLOURS = ("red", "green", "blue", "äther")
POISON_SHARE = 0.001

FILTER = {"data": {"colour": ["red"], "n": [{"numeric": [">=", 0]}]}}


def records(seed: int) -> Iterator[tuple[str, bytes]]:
    """Keys and data, without end. The data of a key is counted."""
    random = Random(f"traffic {seed}")
    counts = dict.fromkeys([f"key {i}" for i in range(KEYS)], 0)
    keys = list(counts)
    while True:
        key = random.choice(keys)
        counts[key] += 1
        data = {
            "key": key,
            "n": counts[key],
            "colour": random.choice(COLOURS),
            "poison": random.random() < POISON_SHARE,
            "noise": random.random(),
        }
        yield key, json.dumps(data, ensure_ascii=False, indent=random.choice([None, 1])).encode()


def is_poison(data: bytes) -> bool:
    poison: bool = json.loads(data)["poison"]
    return poison


def passes(data: bytes) -> bool:
    """What FILTER says, said in Python."""
    colour: str = json.loads(data)["colour"]
    return colour == "red"
