"""Generates the inventory events of the original system, endless and reproducible.

Removals and changes are about products that earlier events of the run added. A few are about any
product, as in every real system: if it does not exist, the outcome is "not found".
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from inventory import broken, ulid
from inventory.broken import Document, dump
from inventory_aws.event import EVENT_TYPES, Event

PRODUCT_NAMES = ("Laptop", "Phone", "Tablet", "Headphones", "Charger")
QUANTITIES = (1, 50)
FIRST_SECOND = datetime(2022, 1, 1)
SECONDS = int((datetime(2024, 1, 1) - FIRST_SECOND).total_seconds())
ADDED, REMOVED, CHANGED = EVENT_TYPES
STRAY_SHARE = 0.05
"""The share of removals and changes that are about any product, whether it exists or not."""
MOST_KNOWN = 100_000


class Mix(NamedTuple):
    """Relative shares of the event types, in the order of EVENT_TYPES."""

    added: float = 6
    removed: float = 1
    changed: float = 3


@dataclass(frozen=True)
class Spec:
    """What to generate: products P1 to P<products>, and the share of invalid events, 0 to 1."""

    seed: int | None = None
    products: int = 10_000
    mix: Mix = Mix()  # noqa: RUF009 - immutable
    invalid_share: float = 0.0


def events(spec: Spec) -> Iterator[Event]:
    """Endless events of `spec`; the partition key of each is its product id.

    With a seed they are the same events on every call, byte for byte and ids included, so a second
    run with that seed puts events on the stream that a consumer may know. Without one every id is
    globally unique.
    """
    seed = None if spec.seed is None else str(spec.seed)  # as numbers, -1 and 1 are one seed
    rng = random.Random(seed)  # noqa: S311 - test data, no secrets
    known = KnownProducts()
    for event_id in ulid.fresh() if spec.seed is None else ulid.seeded(spec.seed):
        if rng.random() < spec.invalid_share:
            yield _broken(spec, rng, event_id)
        else:
            yield _valid(spec, rng, event_id, known)


class KnownProducts:
    """Products that the run has added and not removed; at most MOST_KNOWN of them."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, product_id: str) -> None:
        if product_id not in self._places and len(self.ids) < MOST_KNOWN:
            self._places[product_id] = len(self.ids)
            self.ids.append(product_id)

    def discard(self, product_id: str) -> None:
        place = self._places.pop(product_id, None)
        if place is None:
            return
        last = self.ids.pop()
        if last != product_id:
            self.ids[place], self._places[last] = last, place


def _valid(spec: Spec, rng: random.Random, event_id: str, known: KnownProducts) -> Event:
    kind = rng.choices(EVENT_TYPES, spec.mix)[0]
    if not known.ids and spec.mix.added:
        kind = ADDED  # there is nothing yet to remove or change
    stray = kind == ADDED or not known.ids or rng.random() < STRAY_SHARE
    product = _product(spec, rng, [] if stray else known.ids)
    product_id = product["product_id"]
    if kind == ADDED:
        known.add(product_id)
    elif kind == REMOVED:
        known.discard(product_id)
    # A new level and a signed change are the two forms of this one type: half each.
    if kind == CHANGED and rng.random() < 0.5:
        quantity = product.pop("quantity")
        product["quantity_change"] = rng.choice((quantity, -quantity))
    document = {"event_type": kind, "event_id": event_id, "product": product}
    return Event(dump(document), product_id, event_id, kind)


def _broken(spec: Spec, rng: random.Random, event_id: str) -> Event:
    way = rng.choice(list(broken.WAYS))
    product = _product(spec, rng)
    document = {"event_type": ADDED, "event_id": event_id, "product": product}
    return Event(
        payload=broken.WAYS[way](document),
        partition_key=product["product_id"],
        event_id=None if way in broken.UNREADABLE else event_id,
        kind=way,
        invalid=True,
    )


def _product(spec: Spec, rng: random.Random, known: Sequence[str] = ()) -> Document:
    """Return the fields of one of the `known` products, or of any."""
    moment = FIRST_SECOND + timedelta(seconds=rng.randrange(SECONDS))
    return {
        "product_id": rng.choice(known) if known else f"P{rng.randint(1, spec.products)}",
        "product_name": rng.choice(PRODUCT_NAMES),
        "quantity": rng.randint(*QUANTITIES),
        "timestamp": moment.isoformat(" "),
    }
