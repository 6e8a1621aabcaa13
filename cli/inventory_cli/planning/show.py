"""A plan as text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from inventory_cli.planning.plan import Figure, Plan, Quota


def text(plan: Plan) -> Iterator[str]:
    load = plan.load
    yield (
        f"{load.events_per_second:,.10g} events/s of {load.event_bytes:,} B, {load.products:,} "
        f"products, in {plan.region}"
    )
    yield "\nCapacity"
    yield from map(_line, plan.capacity)
    yield f"\n{'Quotas':<57}{'needed':>10} {'limit':>10}"
    yield from map(_quota, plan.quotas)
    yield "\nUSD a month"
    yield from map(_line, plan.dollars_a_month)
    yield ""
    yield from plan.notes


def _line(figure: Figure) -> str:
    decimals = 0 if isinstance(figure.value, int) else 2
    return f"  {figure.name:<24} {figure.value:>14,.{decimals}f}  {figure.formula}"


def _quota(quota: Quota) -> str:
    line = f"  {quota.name:<54} {quota.needed:>10,.0f} {quota.limit:>10,.0f}"
    if quota.fits:
        return line
    advice = f"request an increase: {quota.raise_at}" if quota.raise_at else "cannot be raised"
    return f"{line}  {advice}"
