"""The inventory events of the original system, endless and reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from producer import broken, ulid
from producer.broken import Document, dump
from producer.dice import Dice
from producer.event import Event
from producer.mix import Mix

PRODUCT_NAMES = ("Laptop", "Phone", "Tablet", "Headphones", "Charger")
QUANTITIES = (1, 50)
FIRST_SECOND = datetime(2022, 1, 1)
MOST_PRODUCTS = 1_000_000_000
SECONDS = int((datetime(2024, 1, 1) - FIRST_SECOND).total_seconds())
BROKEN_WAYS = tuple(broken.WAYS)


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
    for event_id in ulid.fresh() if spec.seed is None else ulid.seeded(spec.seed):
        if dice.fraction() < spec.invalid_share:
            yield _broken(spec, dice, event_id)
        else:
            yield _valid(spec, dice, event_id)


def _valid(spec: Spec, dice: Dice, event_id: str) -> Event:
    kind = spec.mix.event_type(dice.fraction())
    product = _product(spec, dice)
    # A new level and a signed change are the two forms of this one type: half each.
    if kind == "product_quantity_changed" and dice.fraction() < 0.5:
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


def _product(spec: Spec, dice: Dice) -> Document:
    moment = FIRST_SECOND + timedelta(seconds=dice.between(0, SECONDS - 1))
    return {
        "product_id": f"P{dice.between(1, spec.products)}",
        "product_name": dice.pick(PRODUCT_NAMES),
        "quantity": dice.between(*QUANTITIES),
        "timestamp": moment.isoformat(" "),
    }
