"""How much is put, and what is done to the pipeline in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

KILLS = (1 / 3, 2 / 3)
RESHARD = 1 / 2
"""When, in shares of the events."""

CHUNK = 500
"""Records of one PutRecords call, the most that Kinesis takes."""

LIMIT_SECONDS = 10
"""Long enough for any batch, and short for a record that hangs: it is waited for at every halving
and every attempt, eleven times."""


class Blow(StrEnum):
    """What is done to the pipeline."""

    KILL = "the Pipes service killed, and started again"
    RESHARD = "the stream resharded"


@dataclass(frozen=True)
class Plan:
    """`shards` are those before and after the reshard.

    `ahead` is how many records may be on the stream that the function has not handled: the
    producer waits where there are more.
    """

    seed: int
    events: int
    products: int = 2000
    hanging: int = 2
    shards: tuple[int, int] = (8, 12)
    ahead: int = 20_000

    @property
    def blows(self) -> list[tuple[int, Blow]]:
        """What is done after how many records, in that order."""
        shares = [(share, Blow.KILL) for share in KILLS] + [(RESHARD, Blow.RESHARD)]
        return sorted((round(share * self.events), blow) for share, blow in shares)

    @property
    def settings(self) -> Mapping[str, str]:
        """The defaults, but for how long a crashing record holds its shard: two attempts in place
        of thirteen, and a limit that one which hangs exceeds soon."""
        return {
            "STREAM_SHARDS": str(self.shards[0]),
            "MAX_RETRY_ATTEMPTS": "1",
            "FUNCTION_TIMEOUT_SECONDS": str(LIMIT_SECONDS),
        }
