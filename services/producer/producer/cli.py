"""The command `produce`: options and their checks."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from producer.generator import Mix, Spec
from producer.pace import MOST_PER_SECOND
from producer.settings import Settings
from producer.usage import Command, Number, RefusedError, WholeNumber

OF_GENERATED_EVENTS = ("seed", "products", "mix", "invalid_share")


def _mix(ctx: click.Context, param: click.Parameter, value: str) -> Mix:
    try:
        pairs = [part.split("=") for part in value.split(",")]
        shares = {name.strip(): float(share) for name, share in pairs}
    except ValueError:
        shares = {}
    numbers = shares.values()
    known = shares.keys() <= set(Mix._fields)
    if known and all(share >= 0 for share in numbers) and 0 < sum(numbers) < math.inf:
        return Mix(**dict.fromkeys(Mix._fields, 0.0) | shares)
    raise click.BadParameter("must be shares, such as added=6,removed=1,changed=3")


def _address(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise click.BadParameter("must be HOST:PORT, such as 127.0.0.1:8081")
    return host, int(port)


mix_option = click.option(
    "--mix",
    callback=_mix,
    metavar="SHARES",
    default="added=6,removed=1,changed=3",
    show_default=True,
    help="How often each event type comes, as relative shares.",
)

POSITIVE = Number(min=0, min_open=True)
MOST_PRODUCTS = 1_000_000_000


def _at_most_the_limit(_context: object, _option: object, rate: float | None) -> float | None:
    if rate is not None and rate > MOST_PER_SECOND:
        raise click.BadParameter(f"must be a number up to {MOST_PER_SECOND}")
    return rate


@click.command(
    cls=Command,
    short_help="Send generated events to the stream.",
    context_settings={"auto_envvar_prefix": "PRODUCER"},
    epilog="You can set each option with an environment variable: PRODUCER_RATE=20 is "
    "--rate 20, PRODUCER_BATCH=1 is --batch.",
)
@click.option(
    "--stream",
    show_default=Settings.stream,
    help="The Kinesis stream to send to; also STREAM_NAME. STAGE adds a prefix to the default.",
)
@click.option(
    "--rate",
    type=POSITIVE,
    callback=_at_most_the_limit,
    help="Events per second. Without it, one every 0.5-1.5 s.",
)
@click.option("--count", type=WholeNumber(min=1), help="Stop after this many events.")
@click.option("--duration", type=POSITIVE, help="Stop after this many seconds.")
@click.option(
    "--seed", type=WholeNumber(), help="Repeat a run: a seed always gives the same events."
)
@click.option(
    "--products",
    type=WholeNumber(1, MOST_PRODUCTS),
    default=Spec.products,
    show_default=True,
    help="Use the product ids P1 to P<products>.",
)
@mix_option
@click.option(
    "--invalid-share",
    type=Number(0, 1),
    default=0.0,
    show_default=True,
    help="The share of events that are invalid on purpose.",
)
@click.option(
    "--from-file",
    type=click.File("rb"),
    help="Send the lines of this file in place of generated events. Each line is a JSON event. "
    "One without an event_id gets one; the rest of it stays unchanged. '-' is standard input.",
)
@click.option("--send-broken", is_flag=True, help="With --from-file: also send invalid JSON.")
@click.option("--batch", is_flag=True, help="Without --rate, send as fast as the stream accepts.")
@click.option(
    "--retry-for",
    type=POSITIVE,
    default=Settings.retry_for,
    show_default=True,
    help="Give up when the stream has not accepted an event for this many seconds.",
)
@click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="Text or JSON lines. auto: text on a terminal, else JSON lines.",
)
@click.option(
    "--heartbeat",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Update this file while events are accepted. A health check can read it with "
    "`python -m producer.heartbeat FILE`.",
)
@click.option(
    "--control",
    callback=_address,
    metavar="HOST:PORT",
    help="Listen on this address for requests that read or change the rate. Anyone who can "
    "reach it may send them.",
)
@click.option("--stay", is_flag=True, help="After the last event, wait for Ctrl+C or SIGTERM.")
def produce(
    stream: str | None,
    seed: int | None,
    products: int,
    mix: Mix,
    invalid_share: float,
    **options: Any,
) -> None:
    """Generate inventory events and put them on the Kinesis stream, until Ctrl+C.

    Most removals and changes are about products that the run has added before.

    Ctrl+C or SIGTERM stops the generator, sends the events that wait, prints a summary and exits
    with 0. A second Ctrl+C stops at once and exits with 1. If sending fails, it exits with 1; if
    it cannot start, with 2.
    """
    ctx = click.get_current_context()
    problems = [
        f"Use either --{option.replace('_', '-')} or --from-file, not both"
        for option in (OF_GENERATED_EVENTS if options["from_file"] else ())
        if ctx.get_parameter_source(option) is not ParameterSource.DEFAULT
    ]
    if options["send_broken"] and not options["from_file"]:
        problems.append("--send-broken needs --from-file")
    if problems:
        raise RefusedError("\n".join(problems))
    # boto3 takes a while to load: not for --help or a wrong option.
    from inventory_aws.errors import SettingsError
    from inventory_aws.names import Names
    from inventory_aws.sender import SendingError
    from producer.app import run

    try:
        # Now, not as a default of the option: `inventory produce` sets the variables of a target.
        stream = stream or Names.from_env(os.environ).stream
        run(Settings(stream, Spec(seed, products, mix, invalid_share), **options))
    except SettingsError as error:
        raise RefusedError(str(error)) from error
    except SendingError as error:
        raise click.ClickException(str(error)) from error
