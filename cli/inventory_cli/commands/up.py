"""`inventory up`."""

from __future__ import annotations

import argparse
import os
import sys
import time
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
from inventory_cli.context import Context, Pause
from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.invocation import typed
from inventory_cli.progress import ProgressLine
from inventory_cli.target import Target, embedded_folder, enter, named_target
from operations.function_log import FunctionLog
from operations.numbers import outcomes
from producer.cli import produce
from producer.connect import connect
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
            _run(context, servers, producer_options, interrupts.pause)
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
    context = click.get_current_context()
    problems = []
    for check in (
        lambda: produce.make_context("produce", [*producer_options], context).close(),
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


def _run(
    context: Context, servers: EmbeddedStack, producer_options: tuple[str, ...], pause: Pause
) -> None:
    """Run the producer and the dashboard, and show the outcomes, until a server ends.

    The producer may end, and so may the dashboard: a line says so. A Pipes service that was killed
    is started again. Raises FailedError, and what `pause` raises.
    """
    control = f"127.0.0.1:{free_port()}"
    since = time.time()
    log = FunctionLog(context.clients.logs, context.names.function, since)
    with ExitStack() as started, ProgressLine(sys.stdout) as line:
        producer = Producer(producer_options, servers.folder, os.environ, control)
        started.callback(lambda: producer.server.stop())  # the one that runs then
        port = dashboard.asked(os.environ)
        page, no_page = None, dashboard.left_out(port)
        if no_page is None:
            port = port or servers.port(dashboard.NAME, dashboard.PORT)
            page = dashboard.Page(port, servers.folder, os.environ, control)
            started.callback(page.server.stop)
            page.wait(pause)
        _show_addresses(page.url if page else f"none: {no_page}", os.environ["AWS_ENDPOINT_URL"])
        while True:
            pause(LOOK_SECONDS)
            try:
                progress = log.poll()
            finally:  # an emulator that ended is a better reason than that it does not answer
                _check_servers(servers, producer)
            seconds = time.time() - since
            rate = progress.handled / seconds
            line.show(f"  {seconds:.0f} s, {rate:.1f} events/s: {outcomes(progress.outcomes)}")
            if news := producer.news(lambda: _has_stream(context.names.stream)):
                line.note(news)
            if page is not None and (news := page.news()):
                line.note(news)
            if servers.pipes.killed:
                line.note(f"{servers.pipes.name} was killed. Starting it again.")
                pause(RESTART_SECONDS)
                servers.start_pipes()


def _show_addresses(page: str, endpoint: str) -> None:
    eval_env = f'eval "$({typed("env")})"'
    click.echo(
        f"Dashboard      {page}\n"
        f"Another shell  {typed('table'):<23}  prints the rows\n"
        f"               {typed('verify'):<23}  checks the table\n"
        f"               {eval_env:<23}  connects AWS tools\n"
        f"AWS endpoint   {endpoint}\n"
        "Stop           Ctrl+C"
    )


def _has_stream(stream: str) -> bool:
    """Whether there is a stream that takes records."""
    try:
        connect(stream)
    except RefusedError:
        return False
    return True


def _check_servers(servers: EmbeddedStack, producer: Producer) -> None:
    """Raise FailedError if a server has ended.

    The producer may end, though not by a signal, and a Pipes service may be killed.
    """
    for server in (*servers.servers, producer.server):  # which ends when the emulator has
        as_it_should = server is producer.server and (server.finished or server.failed)
        if not (server.running or as_it_should or (server is servers.pipes and server.killed)):
            how = "was killed" if server.killed else "ended"
            raise FailedError(f"{server.name} {how}. Its log is {server.log}")
