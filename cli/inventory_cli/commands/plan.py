"""`inventory plan`: what a load needs and costs on AWS."""

from __future__ import annotations

import click

from inventory_cli.errors import CannotRunError
from producer.usage import Command


@click.command(cls=Command)
@click.option("--events-per-second", type=float, required=True, help="The load.")
@click.option("--products", type=int, required=True, help="The number of rows in the table.")
@click.option(
    "--event-size", type=int, required=True, metavar="BYTES", help="The size of an event's JSON."
)
@click.option(
    "--retention",
    type=int,
    default=24,
    show_default=True,
    metavar="HOURS",
    help="How long the stream keeps records.",
)
@click.option(
    "--hottest",
    type=float,
    metavar="PERCENT",
    help="The share of events that are about the busiest product.",
)
@click.option(
    "--turnover",
    type=float,
    default=20,
    show_default=True,
    metavar="PERCENT",
    help="The share of events that add a new product or remove one. They write two items.",
)
@click.option(
    "--latency",
    type=float,
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="The end-to-end latency of nearly all events.",
)
@click.option(
    "--region",
    envvar="AWS_DEFAULT_REGION",
    default="us-east-1",
    show_default=True,
    help="The AWS Region; also AWS_DEFAULT_REGION.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
    """Estimate capacity, quotas and monthly cost on AWS.

    Each figure comes with its formula, and each price with its source. The command makes no AWS
    calls.
    """
    import json

    from inventory_cli.planning import book
    from inventory_cli.planning.plan import plan as planned
    from inventory_cli.planning.text import as_document, written
    from inventory_cli.planning.workload import Workload, WorkloadError

    if region not in _regions():
        raise CannotRunError(f"{region} is not a Region that has Kinesis.")
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
