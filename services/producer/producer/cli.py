"""The command `produce`: options and their checks."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Literal

import click
from click.core import ParameterSource

from producer import mix
from producer.errors import CannotStartError, SendingError
from producer.generator import MOST_PRODUCTS, Spec
from producer.mix import Mix
from producer.settings import DEFAULT_STREAM, Settings, stream_of_stage

OF_GENERATED_EVENTS = ("seed", "products", "mix", "invalid_share")


class BrokeOffError(click.ClickException):
    """One line, exit 1: sending ended before all that was taken was accepted."""

    exit_code = 1


class RefusedError(click.ClickException):
    """One line, exit 2: nothing was sent."""

    exit_code = 2


class OneLineCommand(click.Command):
    """Says what is wrong with the options in one line, without the usage that click adds."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise RefusedError(f"{error.format_message()} (--help lists the options)") from None


class FiniteRange(click.FloatRange):
    """A range that lets neither `inf` nor `nan` through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def _mix(ctx: click.Context, param: click.Parameter, value: str) -> Mix:
    try:
        return mix.parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{error} (example: added=6,removed=1,changed=3).") from None


def _address(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise click.BadParameter(f"{value!r} is not HOST:PORT (example: 127.0.0.1:8081).")
    return host, int(port)


POSITIVE = FiniteRange(min=0, min_open=True)
RATE = FiniteRange(min=0, min_open=True, max=1_000_000)


@click.command(
    cls=OneLineCommand,
    context_settings={"auto_envvar_prefix": "PRODUCER"},
    epilog="Each option can also be given as an environment variable: PRODUCER_RATE=20 is "
    "--rate 20, PRODUCER_BATCH=1 is --batch.",
)
@click.option(
    "--stream",
    envvar=["PRODUCER_STREAM", "STREAM_NAME"],
    default=lambda: stream_of_stage(os.environ.get("STAGE")),
    show_default=DEFAULT_STREAM,
    help="Kinesis stream to send to; also STREAM_NAME. By default that of the stage in STAGE.",
)
@click.option("--rate", type=RATE, help="Events per second, in place of one every 0.5-1.5 s.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option("--duration", type=POSITIVE, help="Stop after so many seconds.")
@click.option("--seed", type=int, help="The same seed gives the same events, ids included.")
@click.option(
    "--products",
    type=click.IntRange(1, MOST_PRODUCTS),
    default=Spec.products,
    show_default=True,
    help="Product ids are P1 to P<products>.",
)
@click.option(
    "--mix",
    callback=_mix,
    metavar="SHARES",
    default="added=6,removed=1,changed=3",
    show_default=True,
    help="Shares of the event types.",
)
@click.option(
    "--invalid-share",
    type=FiniteRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of events that are broken on purpose.",
)
@click.option(
    "--from-file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Send the lines of this JSON-lines file ('-': standard input) instead, as they are.",
)
@click.option("--send-broken", is_flag=True, help="With --from-file: send non-JSON lines too.")
@click.option(
    "--batch",
    is_flag=True,
    help="Fill PutRecords calls with up to 500 events; without --rate as fast as possible.",
)
@click.option(
    "--retry-for",
    type=POSITIVE,
    default=Settings.retry_for,
    show_default=True,
    help="Give up when the stream has not taken an event for so many seconds.",
)
@click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="Lines to read or JSON lines; auto: text on a terminal.",
)
@click.option(
    "--heartbeat",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep a sign of life in this file, for `python -m producer.heartbeat` to check.",
)
@click.option(
    "--control",
    callback=_address,
    metavar="HOST:PORT",
    help="Let whoever reaches this address read and set the pace; 127.0.0.1:8081, say.",
)
@click.pass_context
def produce(
    ctx: click.Context,
    *,
    stream: str,
    rate: float | None,
    count: int | None,
    duration: float | None,
    seed: int | None,
    products: int,
    mix: Mix,
    invalid_share: float,
    from_file: str | None,
    send_broken: bool,
    batch: bool,
    retry_for: float,
    output: Literal["auto", "text", "jsonl"],
    heartbeat: Path | None,
    control: tuple[str, int] | None,
) -> None:
    """Generate inventory events and put them on the Kinesis stream, until Ctrl+C.

    Ctrl+C or SIGTERM stops taking new events, sends what is taken, prints a summary and exits
    with 0. A second Ctrl+C stops at once (1). Nothing can be sent: 2. Sending broke off: 1.
    """
    for option in OF_GENERATED_EVENTS if from_file else ():
        if ctx.get_parameter_source(option) is not ParameterSource.DEFAULT:
            name = option.replace("_", "-")
            raise RefusedError(f"--{name} is for generated events: leave out --from-file or it")
    if send_broken and not from_file:
        raise RefusedError("--send-broken is for --from-file")
    settings = Settings(
        stream=stream,
        spec=Spec(seed, products, mix, invalid_share),
        from_file=from_file,
        send_broken=send_broken,
        rate=rate,
        count=count,
        duration=duration,
        batch=batch,
        retry_for=retry_for,
        output=output,
        heartbeat=heartbeat,
        control=control,
    )
    from producer.app import run  # boto3 takes a while to load: not for --help or a wrong option

    try:
        run(settings)
    except CannotStartError as error:
        raise RefusedError(str(error)) from error
    except SendingError as error:
        raise BrokeOffError(str(error)) from error
