"""Random choices that a seed fixes, on every version of Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Draws made from `Random.random` alone, the one method whose sequence Python promises to keep
    for a seed (https://docs.python.org/3/library/random.html#notes-on-reproducibility).

    Without a seed the operating system provides one.
    """

    def __init__(self, seed: int | None) -> None:
        text = None if seed is None else str(seed)  # as a number, -1 and 1 would be one seed
        self.fraction = random.Random(text).random  # noqa: S311 - test data, no secrets

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.fraction() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.fraction() * len(options))]
