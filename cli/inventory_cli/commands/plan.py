"""`inventory plan`: what a load needs and costs on AWS."""

from __future__ import annotations

import click

from inventory_cli.errors import CannotRunError
from producer.usage import Command, Number, WholeNumber


@click.command(cls=Command)
@click.option(
    "--events-per-second", type=Number(0, 10**8, min_open=True), required=True, help="The load."
)
@click.option(
    "--products",
    type=WholeNumber(1, 10**11),
    required=True,
    help="The number of rows in the table.",
)
@click.option(
    "--event-size",
    type=WholeNumber(60, 390_000),  # a row has at most 400 KB
    required=True,
    help="The size of an event's JSON in bytes.",
)
@click.option(
    "--hottest",
    type=Number(0, 100),
    default=0,
    help="The percentage of events that are about the busiest product.  [default: all are equal]",
)
@click.option(
    "--turnover",
    type=Number(0, 100),
    default=20,
    show_default=True,
    help="The percentage of events that add or remove a product. They write two items.",
)
@click.option(
    "--window",
    type=WholeNumber(0, 300),
    default=0,
    show_default=True,
    help="Seconds that a batch waits for records: BATCHING_WINDOW_SECONDS.",
)
@click.option(
    "--region",
    envvar="AWS_DEFAULT_REGION",
    default="us-east-1",
    show_default=True,
    help="The AWS Region, for its quotas; also AWS_DEFAULT_REGION.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(
    events_per_second: float,
    products: int,
    event_size: int,
    hottest: float,
    turnover: float,
    window: int,
    region: str,
    as_json: bool,
) -> None:
    """Estimate capacity, quotas and monthly cost on AWS.

    Each figure comes with its formula, and the prices with their source and date. The command makes
    no AWS calls.
    """
    import json
    from dataclasses import asdict

    import boto3

    from inventory_cli.planning.capacity import Load
    from inventory_cli.planning.plan import make_plan
    from inventory_cli.planning.show import text

    if region not in boto3.Session().get_available_regions("kinesis"):
        raise CannotRunError(f"{region} is not a Region that has Kinesis.")
    load = Load(events_per_second, products, event_size, hottest / 100, turnover / 100, window)
    result = make_plan(load, region)
    click.echo(json.dumps(asdict(result)) if as_json else "\n".join(text(result)))
