"""The plan: sizes, the quotas that they meet, the bill, and what has to be known besides. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory_cli.planning.bill import Bill, bill
from inventory_cli.planning.book import Measured, Prices, Quota
from inventory_cli.planning.sizing import Sizing, hot_rate, sized
from inventory_cli.planning.workload import Workload


@dataclass(frozen=True)
class Use:
    """How much of a quota is needed."""

    quota: Quota
    needed: float

    @property
    def fits(self) -> bool:
        return self.needed <= self.quota.limit


@dataclass(frozen=True)
class Plan:
    region: str
    workload: Workload
    sizing: Sizing
    uses: Sequence[Use]
    bill: Bill

    @property
    def on_demand(self) -> bool:
        """Whether the stream is cheaper on demand, as far as that is known."""
        stream = self.bill.by_service().get("kinesis")
        other = self.bill.on_demand
        if stream is None or other is None:
            return False
        return self.workload.retention_hours == 24 and other < stream

    @property
    def obstacles(self) -> list[str]:
        """What no quota that AWS raises, and no larger size, would carry."""
        slow = self.sizing.hottest_busy
        behind = [f"the batches of the hottest product would have to be {slow:.1f} times as fast"]
        return [
            f"{use.quota.what}: {use.needed:,.0f} needed, the limit is {use.quota.limit:,.0f}"
            for use in self.uses
            if not use.fits and use.quota.raise_at is None
        ] + (behind if slow > 1 else [])


def plan(
    region: str,
    workload: Workload,
    measured: Measured,
    prices: Prices,
    quotas: Mapping[str, Quota],
) -> Plan:
    sizing = sized(workload, measured)
    hot = hot_rate(workload)
    shard = hot + (workload.events_per_second - hot) / sizing.shards
    needed = {
        "shards": sizing.shards,
        "shard_records": shard,
        "shard_bytes": shard * workload.event_bytes,
        "pipe_executions": sizing.lanes,
        "lambda_concurrency": sizing.lanes,
        "table_writes": sizing.write_units,
        "new_table_writes": sizing.write_units,
        "table_reads": sizing.read_units,
        # However hot a product is, a batch writes it once.
        "key_writes": min(sizing.key_units, max(1.0, hot) * sizing.item_units),
    }
    uses = [Use(quotas[name], amount) for name, amount in needed.items()]
    return Plan(region, workload, sizing, uses, bill(workload, sizing, measured, prices))
