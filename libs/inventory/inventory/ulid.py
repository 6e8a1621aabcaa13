"""Event ids: ULIDs, which are unique and sort in the order of their creation.

26 characters of Crockford's base 32: 48 bits of milliseconds, then 80 bits that are random
(https://github.com/ulid/spec).
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from itertools import count

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BITS = 80
SEEDED_EPOCH_MS = 1_640_995_200_000  # 2022-01-01, the first day of the generated timestamps


def encode(value: int) -> str:
    """The 26 characters of a 128-bit number."""
    return "".join([ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5)])


def fresh(
    clock: Callable[[], float] = time.time, entropy: Callable[[int], bytes] = os.urandom
) -> Iterator[str]:
    """Generate unique, rising ids, also within a millisecond and if the clock is set back."""
    last = 0
    while True:
        millis = int(clock() * 1000)
        drawn = millis << RANDOM_BITS | int.from_bytes(entropy(RANDOM_BITS // 8), "big")
        last = max(drawn, last + 1)
        yield encode(last)


def seeded(seed: int) -> Iterator[str]:
    """Generate ids that depend only on `seed`.

    The nth has n as its milliseconds, so no two are equal, and a hash of seed and n, so that other
    seeds have other ids.
    """
    for n in count():
        digest = hashlib.blake2b(f"{seed}:{n}".encode(), digest_size=RANDOM_BITS // 8).digest()
        yield encode((SEEDED_EPOCH_MS + n) << RANDOM_BITS | int.from_bytes(digest, "big"))
