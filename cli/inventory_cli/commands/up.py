"""`inventory up`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from deploy.settings import Settings, of_resources
from embedded import dashboard
from embedded.interrupts import InterruptedRunError, Interrupts
from embedded.ports import free_port
from embedded.producer import Producer
from embedded.saved import time_of_newest
from embedded.stack import EmbeddedStack
from inventory_aws.errors import SettingsError
from inventory_cli.context import Context
from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.invocation import typed
from inventory_cli.progress import ProgressLine
from inventory_cli.target import Target, embedded_folder, enter, named_target
from operations.function_log import FunctionLog
from operations.words import outcomes
from producer.cli import produce
from producer.connect import connect
from producer.errors import CannotStartError
from producer.usage import Command, RefusedError

LOOK_SECONDS = 1.0
RESTART_SECONDS = 3.0
"""How long the Pipes service stays away when it was killed: long enough to see it."""


def _origins(_context: object, _option: object, given: str | None) -> str | None:
    from eventbridge_pipes import guard  # --help works where it is not installed

    try:
        for each in filter(None, map(str.strip, (given or "").split(","))):
            guard.origin(each)
    except argparse.ArgumentTypeError as error:
        raise click.BadParameter(str(error)) from None
    return given


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})
@click.option(
    "--allow-origin",
    envvar="ALLOW_ORIGIN",
    metavar="ORIGINS",
    callback=_origins,
    help="Web pages of these origins may call the servers, such as http://localhost:3000. "
    "Separate them with commas. All other web pages are refused.",
)
@click.argument("producer_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def up(state: Path, allow_origin: str | None, producer_options: tuple[str, ...]) -> None:
    """Run the whole pipeline on this machine until Ctrl+C.

    It starts the servers, creates the resources, and starts the producer and the dashboard. You
    can add options of `produce`, such as --rate 20. All data is kept for the next start.
    """
    _check_settings(producer_options)
    port = dashboard.asked(os.environ)
    folder = embedded_folder(state)
    if allow_origin:
        os.environ["PIPES_ALLOW_ORIGIN"] = allow_origin
    began = time.monotonic()
    interrupts = Interrupts("The servers save their data first.")
    settings = of_resources(os.environ)
    servers = EmbeddedStack(
        folder, os.environ, interrupts.pause, _say, settings=settings, pipes_may_crash=True
    )
    try:
        with interrupts, servers:
            click.echo(f"Servers are up ({time.monotonic() - began:.1f} s)")
            enter(servers.variables)
            context = Context.from_environment(Target.EMBEDDED)
            context.deploy()
            interrupts.check()
            with ExitStack() as started:
                control = f"127.0.0.1:{free_port()}"
                since = time.time()
                producer = Producer(producer_options, folder, os.environ, control)
                started.callback(lambda: producer.server.stop())  # the one that runs then
                page, no_page = None, dashboard.left_out(port)
                if no_page is None:
                    port = port or servers.port(dashboard.NAME, dashboard.PORT)
                    page = dashboard.Page(port, folder, os.environ, control)
                    started.callback(page.server.stop)
                    page.wait(interrupts.pause)
                eval_env = f'eval "$({typed("env")})"'
                click.echo(
                    f"Dashboard      {page.url if page else f'none: {no_page}'}\n"
                    f"Another shell  {typed('table'):<23}  prints the rows\n"
                    f"               {typed('verify'):<23}  checks the table\n"
                    f"               {eval_env:<23}  connects AWS tools\n"
                    f"AWS endpoint   {servers.variables['AWS_ENDPOINT_URL']}\n"
                    "Stop           Ctrl+C"
                )
                _follow(context, interrupts.pause, producer, page, servers, since)
    except InterruptedRunError:
        if not servers.kept:
            raise FailedError(_lost(folder)) from None
        click.echo(f"Stopped. The data is kept in {folder}.")
    except FailedError as error:
        if not servers.kept:
            raise FailedError(f"{error.message}. {_lost(folder)}") from error
        raise


def _check_settings(producer_options: tuple[str, ...]) -> None:
    """Check the target and all settings before anything starts.

    Raises CannotRunError, which names everything that is wrong.
    """
    if named_target(os.environ) is not Target.EMBEDDED:
        raise CannotRunError(
            "`up` starts the embedded target. With TARGET=localstack, run `docker compose up`. "
            f"With TARGET=aws, run `{typed('deploy')}`, then `{typed('produce')}`."
        )
    problems = []
    for check in (
        lambda: produce.make_context("produce", [*producer_options], click.get_current_context()),
        lambda: dashboard.asked(os.environ),
        lambda: Settings.from_env(os.environ),
    ):
        try:
            check()
        except (RefusedError, SettingsError) as error:
            problems.append(str(error))
    if problems:
        raise CannotRunError("\n".join(problems))


def _say(text: str) -> None:
    """Print a line. If nobody reads it any more, go on: the data is still to be saved."""
    with suppress(BrokenPipeError):
        click.echo(text)


def _lost(folder: Path) -> str:
    saved = time_of_newest(folder)
    left = f"the next start has the data of {saved}" if saved else "all data is lost"
    return f"MiniStack ended without saving: {left}."


def _follow(
    context: Context,
    pause: Callable[[float], object],
    producer: Producer,
    page: dashboard.Page | None,
    servers: EmbeddedStack,
    since: float,
) -> None:
    """Show the outcomes since the producer started, until `pause` raises or a server ends.

    A producer may end, and so may the dashboard: a line says so. A Pipes service that was killed is
    started again.
    """
    log = FunctionLog(context.clients.logs, context.names.function, since)

    def has_stream() -> bool:
        """Whether there is a stream that takes records."""
        try:
            connect(context.names.stream)
        except CannotStartError:
            return False
        return True

    with ProgressLine(sys.stdout) as line:
        while True:
            pause(LOOK_SECONDS)
            try:
                progress = log.poll()
            finally:  # an emulator that ended is a better reason than that it does not answer
                _check(producer, servers)
            seconds = time.time() - since
            rate = progress.handled / seconds
            line.show(f"  {seconds:.0f} s, {rate:.1f} events/s: {outcomes(progress.outcomes)}")
            for news in (producer.news(has_stream), page and page.news()):
                if news:
                    line.note(news)
            if servers.pipes.killed:
                line.note(f"{servers.pipes.name} was killed. Starting it again.")
                pause(RESTART_SECONDS)
                servers.start_pipes()


def _check(producer: Producer, servers: EmbeddedStack) -> None:
    """Raise FailedError if a server has ended; a killed Pipes service may."""
    for server in (*servers.servers, producer.server):  # which ends when the emulator has
        as_it_should = server is producer.server and (server.finished or server.failed)
        if not (server.running or as_it_should or (server is servers.pipes and server.killed)):
            how = "was killed" if server.killed else "ended"
            raise FailedError(f"{server.name} {how}. Its log is {server.log}")
