"""The monthly cost of the stack while it is idle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_cli.planning import book
from inventory_cli.planning.book import Prices
from inventory_cli.progress import counted

HOURS = 730  # of a month, as AWS counts

# Lambda keeps five connections to a queue, each waiting 20 s for a message.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
POLLS = 5 * 3 * 60 * HOURS

# What a stream asks KMS for, reckoned as a new data key every five minutes: not checked.
KEY_REQUESTS = 8_640

REFERENCE_REGION = "us-east-1"

NEEDED = (
    "kinesis.shard_hour",
    "cloudwatch.alarm_month",
    "sqs.million_requests",
    "kms.ten_thousand_requests",
    "cloudwatch.dashboard_month",
)


@dataclass(frozen=True)
class Item:
    """A line of the bill: what for, how it is reckoned, how many dollars."""

    name: str
    formula: str
    dollars: float


def idle(shards: int, kinds: Mapping[str, int], prices: Prices) -> list[Item]:
    """The bill of an idle month, without what AWS gives for nothing; `kinds` counts resources.

    Tables, functions, topics, pipes and logs cost what is done with them.
    """
    shard, alarm, poll, request, dashboard = (prices[name].dollars for name in NEEDED)
    alarms, dashboards = kinds.get("alarm", 0), kinds.get("dashboard", 0)
    items = [
        Item(
            f"stream of {counted(shards, 'shard')}",
            f"{shards} x {HOURS} h x {shard:g}",
            shards * HOURS * shard,
        ),
        Item(
            "Lambda polling the alerts queue",
            f"{POLLS:,} requests x {poll:g} a million",
            POLLS / 1e6 * poll,
        ),
        Item(
            "KMS for the stream",
            f"at most {KEY_REQUESTS:,} requests x {request:g} per 10,000",
            KEY_REQUESTS / 1e4 * request,
        ),
        Item(counted(alarms, "alarm"), f"{alarms} x {alarm:g}", alarms * alarm),
        Item(
            counted(dashboards, "dashboard"),
            f"{dashboards} x {dashboard:g}",
            dashboards * dashboard,
        ),
    ]
    return [item for item in items if item.dollars]


def monthly(region: str, shards: int, kinds: Mapping[str, int]) -> str:
    """The estimate for people: the sum, its parts, and where the prices are from."""
    prices, priced = book.prices(region), region
    if not prices.keys() >= set(NEEDED):
        prices, priced = book.prices(REFERENCE_REGION), REFERENCE_REGION
    items = idle(shards, kinds, prices)
    total = sum(item.dollars for item in items)
    lines = [f"About {total:.2f} USD a month while idle, before any free tier:"]
    lines += [f"  {item.dollars:8.2f}  {item.name} ({item.formula})" for item in items]
    of = f"Prices of {priced}" + (f" (some of {region} are not known)" if priced != region else "")
    lines += [f"{of}, {book.checked()}. Their sources are in prices.json."]
    lines += ["Events cost extra: docs/provisioning.md"]
    return "\n".join(lines)
