"""How long to pause between two reads of a shard, and how much to ask for.

A shard in use is asked again at once or nearly; one that gives nothing is asked ever less, down
to five times in two seconds. Kinesis allows five reads a second and shard, and says so by
throttling: from then on that is the pace. A server that takes long to say "nothing" is asked
less, too: some emulators take the longer the more they are asked.
"""

from __future__ import annotations

SHORTEST_PAUSE = 0.015
LONGEST_PAUSE = 0.250
THROTTLED_PAUSE = 0.200
LONGEST_THROTTLED_PAUSE = 5.0
# An empty shard is asked again after this share of the time that it has been empty, so that
# waiting adds no more than that share to the time between two records.
IDLE_SHARE = 0.1
# Asking for nothing may take a third of the time that there is.
REST = 2.0

# From then on a shard sleeps: it is polled with all others that do (see `streams.sleepers`).
AWAKE_SECONDS = LONGEST_PAUSE / IDLE_SHARE
LONGEST_SLEEPING_PAUSE = 0.400
# Sleeping shards are polled by fours at least so far apart, that is 200 times a second in all.
POLLS_AT_ONCE = 4
SHORTEST_REST = POLLS_AT_ONCE / 200

PAGE_BYTES = 4 * 1024 * 1024
PAGE_RECORDS = 10_000
FIRST_PAGE_RECORDS = 500


def pause(idle: float, behind: bool, floor: float, took: float = 0.0) -> float:
    """Seconds until the next read.

    `idle` is the time since the shard last gave a record, `behind` whether it has more to give
    now, `floor` the least pause that throttling has taught, `took` how long an answer without
    records was waited for.
    """
    if behind:
        return floor
    return max(floor, min(LONGEST_PAUSE, max(SHORTEST_PAUSE, idle * IDLE_SHARE, took * REST)))


def falls_asleep(idle: float, behind: bool) -> bool:
    """Whether a shard that gave nothing is left to the common thread.

    `behind` is what the stream says: on the way through a stretch without records, reads give
    nothing and yet get nearer to those that come next.
    """
    return idle >= AWAKE_SECONDS and not behind


def sleeping_pause(idle: float) -> float:
    """Seconds until a sleeping shard is due again."""
    return min(LONGEST_SLEEPING_PAUSE, max(LONGEST_PAUSE, idle * IDLE_SHARE))


def rest(took: float) -> float:
    """Seconds without a poll of any sleeping shard, after some polls at once took `took` seconds.

    This is how their pauses stretch when there are many of them, or the server is slow.
    """
    return max(SHORTEST_REST, took * REST)


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
