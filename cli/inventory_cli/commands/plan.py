"""`inventory plan`: what a load would take on AWS, and cost."""

from __future__ import annotations

import click

from inventory_cli.errors import CannotRunError


@click.command()
@click.option("--events-per-second", type=float, required=True, help="A steady load.")
@click.option("--products", type=int, required=True, help="How many have a row.")
@click.option("--event-size", type=int, required=True, metavar="BYTES", help="Of an event's JSON.")
@click.option(
    "--retention", type=int, default=24, show_default=True, metavar="HOURS", help="Of the stream."
)
@click.option("--hottest", type=float, metavar="PERCENT", help="Of all events, of one product.")
@click.option(
    "--turnover",
    type=float,
    default=20,
    show_default=True,
    metavar="PERCENT",
    help="Of events that add a product that has no row, or remove one: they write two items.",
)
@click.option(
    "--latency",
    type=float,
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="From the put to the row, for nearly all events.",
)
@click.option(
    "--region",
    envvar="AWS_DEFAULT_REGION",
    default="us-east-1",
    show_default=True,
    help="Also AWS_DEFAULT_REGION.",
)
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def plan(
    events_per_second: float,
    products: int,
    event_size: int,
    retention: int,
    hottest: float | None,
    turnover: float,
    latency: float,
    region: str,
    as_json: bool,
) -> None:
    """Reckon what a load takes on AWS: sizes, quotas, latency, and what it costs a month.

    Each figure has its formula, each price where it is from. It asks AWS nothing.
    """
    import json

    from inventory_cli.planning import book
    from inventory_cli.planning.plan import plan as planned
    from inventory_cli.planning.text import as_document, written
    from inventory_cli.planning.workload import Workload, WorkloadError

    if region not in _regions():
        raise CannotRunError(f"{region} is no Region that has Kinesis")
    try:
        workload = Workload(
            events_per_second,
            products,
            event_size,
            retention,
            None if hottest is None else hottest / 100,
            turnover / 100,
            latency,
        )
    except WorkloadError as error:
        raise CannotRunError(str(error)) from error
    measured = book.measured()
    quotas = book.quotas(region)
    result = planned(region, workload, measured, book.prices(region), quotas)
    click.echo(json.dumps(as_document(result)) if as_json else written(result, measured))


def _regions() -> list[str]:
    """Those that the SDK knows of; it is not asked of AWS."""
    import boto3

    return boto3.Session().get_available_regions("kinesis")
