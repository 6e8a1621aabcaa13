"""The inventory events of the original system, endless and reproducible.

Removals and changes are about products that earlier events of the run added. A few are about any
product, as in every real system: if it does not exist, the outcome is "not found".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory import broken, ulid
from inventory.broken import Document, dump
from inventory_aws.outbox import EVENT_TYPES, Event
from producer.dice import Dice
from producer.mix import Mix

PRODUCT_NAMES = ("Laptop", "Phone", "Tablet", "Headphones", "Charger")
QUANTITIES = (1, 50)
FIRST_SECOND = datetime(2022, 1, 1)
MOST_PRODUCTS = 1_000_000_000
SECONDS = int((datetime(2024, 1, 1) - FIRST_SECOND).total_seconds())
BROKEN_WAYS = tuple(broken.WAYS)
ADDED, REMOVED, CHANGED = EVENT_TYPES
STRAY_SHARE = 0.05
"""The share of removals and changes that are about any product, whether it exists or not."""
MOST_KNOWN = 100_000


@dataclass(frozen=True)
class Spec:
    """What to generate: products P1 to P<products>, the shares of the event types, the share
    (0 to 1) of events that are broken on purpose, and the seed.

    Raises ValueError for no products or more than a thousand million, or a share outside 0 to 1.
    """

    seed: int | None = None
    products: int = 10_000
    mix: Mix = field(default_factory=Mix)
    invalid_share: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.products <= MOST_PRODUCTS:
            raise ValueError(f"the number of products is from 1 to {MOST_PRODUCTS}")
        if not 0 <= self.invalid_share <= 1:
            raise ValueError("the share of invalid events is a number from 0 to 1")


def events(spec: Spec) -> Iterator[Event]:
    """Endless events of `spec`; the partition key of each is its product id.

    With a seed they are the same events on every call, byte for byte and ids included, so a second
    run with that seed puts events on the stream that a consumer may know. Without one every id is
    globally unique.
    """
    dice = Dice(spec.seed)
    known = Known()
    for event_id in ulid.fresh() if spec.seed is None else ulid.seeded(spec.seed):
        if dice.fraction() < spec.invalid_share:
            yield _broken(spec, dice, event_id)
        else:
            yield _valid(spec, dice, event_id, known)


class Known:
    """Numbers of products that the run has added and not removed; of very many, some of them."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int) -> None:
        if number in self._places:
            return
        if len(self) == MOST_KNOWN:
            self.discard(self._numbers[0])
        self._places[number] = len(self)
        self._numbers.append(number)

    def discard(self, number: int) -> None:
        if number not in self._places:
            return
        place, last = self._places.pop(number), self._numbers.pop()
        if last != number:
            self._numbers[place], self._places[last] = last, place

    def pick(self, dice: Dice) -> int:
        return dice.pick(self._numbers)


def _valid(spec: Spec, dice: Dice, event_id: str, known: Known) -> Event:
    kind = spec.mix.event_type(dice.fraction())
    if not known and spec.mix.added:
        kind = ADDED  # there is nothing yet to remove or change
    stray = kind == ADDED or not known or dice.fraction() < STRAY_SHARE
    product = _product(spec, dice, None if stray else known)
    number = int(product["product_id"].removeprefix("P"))
    if kind == ADDED:
        known.add(number)
    elif kind == REMOVED:
        known.discard(number)
    # A new level and a signed change are the two forms of this one type: half each.
    if kind == CHANGED and dice.fraction() < 0.5:
        quantity = product.pop("quantity")
        product["quantity_change"] = dice.pick((quantity, -quantity))
    document = {"event_type": kind, "event_id": event_id, "product": product}
    return Event(dump(document), product["product_id"], event_id, kind)


def _broken(spec: Spec, dice: Dice, event_id: str) -> Event:
    way = dice.pick(BROKEN_WAYS)
    product = _product(spec, dice)
    document = {"event_type": "product_added", "event_id": event_id, "product": product}
    return Event(
        payload=broken.WAYS[way](document),
        partition_key=product["product_id"],
        event_id=None if way in broken.UNREADABLE else event_id,
        kind=way,
        invalid=True,
    )


def _product(spec: Spec, dice: Dice, known: Known | None = None) -> Document:
    """Return the fields of any product, or of one that is `known`."""
    moment = FIRST_SECOND + timedelta(seconds=dice.between(0, SECONDS - 1))
    return {
        "product_id": f"P{known.pick(dice) if known else dice.between(1, spec.products)}",
        "product_name": dice.pick(PRODUCT_NAMES),
        "quantity": dice.between(*QUANTITIES),
        "timestamp": moment.isoformat(" "),
    }
