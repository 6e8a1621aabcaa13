"""What is put on the stream: made before it begins, from a seed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from random import Random

from endings import Ending, marked
from inventory_aws.outbox import Event
from producer.generator import Spec, events

REPEATED_SHARE = 0.20
INVALID_SHARE = 0.05
CRASHING_SHARE = 0.01

LATE_SHARE, EXITING_SHARE = 0.25, 0.02
"""Of the crashing ones; those that hang are counted, and the rest raises at once."""

SOON, LATER, MUCH_LATER = 3, 1000, 0.2
"""By how many events at the most a repetition comes later: half of them soon, a quarter later, and
a quarter by up to that share of all events."""


@dataclass(frozen=True, slots=True)
class Put:
    """A record to put. `ending`: it ends the function so; `repeated`: it was put before."""

    event: Event
    ending: Ending | None = None
    repeated: bool = False


def traffic(seed: int, count: int, products: int, hanging: int) -> list[Put]:
    """`count` records, a fifth of them repetitions, of products P1 to P<products>.

    `hanging` is how many events make the function exceed its limit.
    """
    random = Random(f"long run {seed}")
    repeated = round(count * REPEATED_SHARE)
    spec = Spec(seed=seed, products=products, invalid_share=INVALID_SHARE)
    originals = _with_crashes(list(islice(events(spec), count - repeated)), hanging, random)
    places: list[tuple[float, Put]] = list(enumerate(originals))
    for place in random.sample(range(len(originals)), repeated):
        again = Put(originals[place].event, originals[place].ending, repeated=True)
        places.append((place + _lateness(random, count) + 0.5, again))
    return [put for _, put in sorted(places, key=lambda each: each[0])]


def _with_crashes(fresh: Sequence[Event], hanging: int, random: Random) -> list[Put]:
    puts = [Put(event) for event in fresh]
    valid = [place for place, event in enumerate(fresh) if not event.invalid]
    chosen = random.sample(valid, round(len(fresh) * CRASHING_SHARE))
    # Those that hang come first: they hold their shards the longest.
    early = sorted(chosen)[:hanging]
    others = [place for place in chosen if place not in early]
    endings = [Ending.HANGS] * len(early)
    endings += [Ending.EXITS] * ceil(len(others) * EXITING_SHARE)
    endings += [Ending.LATE] * ceil(len(others) * LATE_SHARE)
    endings += [Ending.RAISES] * (len(chosen) - len(endings))
    for place, ending in zip([*early, *others], endings, strict=True):
        puts[place] = Put(marked(fresh[place], ending), ending)
    return puts


def _lateness(random: Random, count: int) -> int:
    most = random.choice([SOON, SOON, LATER, round(count * MUCH_LATER)])
    return random.randint(0, most)
