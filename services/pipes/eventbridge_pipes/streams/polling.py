"""How long to pause between two reads of a shard, and how much to ask for.

A shard in use is asked again at once or nearly; one that gives nothing is asked ever less, down
to four times a second. Kinesis allows five reads a second and shard, and says so by throttling:
from then on that is the pace.
"""

from __future__ import annotations

SHORTEST_PAUSE = 0.015
LONGEST_PAUSE = 0.250
THROTTLED_PAUSE = 0.200
LONGEST_THROTTLED_PAUSE = 5.0
# An empty shard is asked again after this share of the time that it has been empty, so that
# waiting adds no more than that share to the time between two records.
IDLE_SHARE = 0.1

PAGE_BYTES = 2 * 1024 * 1024
PAGE_RECORDS = 10_000
FIRST_PAGE_RECORDS = 100


def pause(idle: float, behind: bool, floor: float) -> float:
    """Seconds until the next read.

    `idle` is the time since the shard last gave a record, `behind` whether it has more to give
    now, `floor` the least pause that throttling has taught.
    """
    if behind:
        return floor
    return max(floor, min(LONGEST_PAUSE, max(SHORTEST_PAUSE, idle * IDLE_SHARE)))


def floor_when_throttled(floor: float) -> float:
    """The least pause after one more refusal: doubling, since other readers take their share."""
    return min(LONGEST_THROTTLED_PAUSE, max(THROTTLED_PAUSE, floor * 2))


def floor_when_served(floor: float) -> float:
    """The least pause after a read that went through: a shard that throttles, throttles again."""
    return min(floor, THROTTLED_PAUSE)


def page_limit(record_count: int, record_bytes: int) -> int:
    """How many records to ask for, from the last page that had any, so that memory stays bounded.

    Kinesis can be told a number of records, not of bytes.
    """
    if record_count == 0:
        return FIRST_PAGE_RECORDS
    mean = max(1, record_bytes // record_count)
    return max(1, min(PAGE_RECORDS, PAGE_BYTES // mean))
