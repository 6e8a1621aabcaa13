"""What was put on which shard, and how much of it is still under way."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from operations.function_log import Progress


class Ledger:
    """Of the records that the function can handle: of the others it tells nothing."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[int]] = {}

    def put(self, places: Iterable[tuple[str, int]]) -> None:
        """Records came to these shards, with these sequence numbers."""
        for shard_id, number in places:
            self._numbers.setdefault(shard_id, []).append(number)

    def under_way(self, progress: Progress) -> Mapping[str, int]:
        """By shard, how many records come after the last one that was handled."""
        reached = progress.last_sequence_numbers
        return {
            shard_id: len(numbers) - bisect_right(numbers, reached.get(shard_id, 0))
            for shard_id, numbers in self._numbers.items()
        }
