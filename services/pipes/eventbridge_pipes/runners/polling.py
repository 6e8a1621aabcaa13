"""How long to pause between two reads of a shard.

A shard in use is asked again at once or nearly; one that gives nothing is asked ever less, down
to five times in two seconds. Kinesis allows five reads a second and shard, and says so by
throttling: from then on that is the pace. A server that takes long to say "nothing" is asked
less, too (see `streams.budget`): some emulators take the longer the more they are asked.
"""

from __future__ import annotations

SHORTEST_PAUSE = 0.015
LONGEST_PAUSE = 0.250
THROTTLED_PAUSE = 0.200
LONGEST_THROTTLED_PAUSE = 5.0
# An empty shard is asked again after this share of the time that it has been empty, so that
# waiting adds no more than that share to the time between two records.
IDLE_SHARE = 0.25
# Asking for nothing may take a third of the time that there is.
REST = 2.0

# From then on a shard sleeps: it is polled with all others that do (see `streams.sleepers`).
AWAKE_SECONDS = LONGEST_PAUSE / IDLE_SHARE
LONGEST_SLEEPING_PAUSE = 0.400
# Sleeping shards are polled by fours at least so far apart, that is 200 times a second in all.
POLLS_AT_ONCE = 4
SHORTEST_REST = POLLS_AT_ONCE / 200


def pause(idle: float, behind: bool, floor: float, rest: float = 0.0) -> float:
    """Seconds until the next read.

    `idle` is the time since the shard last gave a record, `behind` whether it has more to give
    now, `floor` the least pause that throttling has taught, `rest` the least that is due after
    an answer without records.
    """
    if behind:
        return floor
    return max(floor, rest, min(LONGEST_PAUSE, max(SHORTEST_PAUSE, idle * IDLE_SHARE)))


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
    """Seconds without asking any empty shard, after `took` seconds of waiting for nothing.

    This is how pauses stretch when there are many shards, or the server is slow. A single answer
    that came late does not keep a shard waiting for longer than an empty one waits.
    """
    return min(LONGEST_PAUSE, took * REST)


def sleepers_rest(took: float) -> float:
    """The same for sleeping shards, after some polls at once took `took` seconds."""
    return max(SHORTEST_REST, took * REST)


def floor_when_throttled(floor: float) -> float:
    """The least pause after one more refusal: doubling, since other readers take their share."""
    return min(LONGEST_THROTTLED_PAUSE, max(THROTTLED_PAUSE, floor * 2))


def floor_when_served(floor: float) -> float:
    """The least pause after a read that went through: a shard that throttles, throttles again."""
    return min(floor, THROTTLED_PAUSE)
