"""What is known of AWS and of our own function: prices, quotas, measured figures; each with where
it is from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Price:
    """Dollars for a unit."""

    dollars: float
    unit: str
    found_in: str
    page: str
    date: str


@dataclass(frozen=True)
class Quota:
    """A limit of AWS's; `raise_at` says where to ask for more, None that nobody can."""

    what: str
    limit: float
    raise_at: str | None
    source: str


@dataclass(frozen=True)
class Measured:
    """The function's own figures, and the command that measures them."""

    command: str
    on: str
    invocation_seconds: float
    record_seconds: float
    payload_bytes_around_an_event: float
    log_bytes_of_an_invocation: float


Prices = Mapping[str, Price]
"""By "service.item", those that are known of a Region."""


def _file(name: str) -> Any:
    return json.loads(files("inventory_cli.planning").joinpath(name).read_text("utf-8"))


def prices(region: str) -> Prices:
    book = _file("prices.json")
    found = {}
    for service, items in book["regions"].get(region, {}).items():
        for name, item in items.items():
            source = book["sources"][item["source"]]
            found[f"{service}.{name}"] = Price(item["price"], item["unit"], **source)
    return found


def priced_regions() -> list[str]:
    return sorted(_file("prices.json")["regions"])


def checked() -> str:
    """Whether the prices were compared with AWS's own pages."""
    return str(_file("prices.json")["checked"])


def quotas(region: str) -> dict[str, Quota]:
    return {
        name: Quota(
            each["what"],
            each.get("regions", {}).get(region, each["limit"]),
            each["raise_at"],
            each["source"],
        )
        for name, each in _file("quotas.json")["quotas"].items()
    }


def quotas_read() -> str:
    """When the quotas were read, and where."""
    return str(_file("quotas.json")["read"])


def measured() -> Measured:
    return Measured(**_file("measured.json"))
