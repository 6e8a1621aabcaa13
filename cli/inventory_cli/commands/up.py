"""`inventory up`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.invocation import typed
from inventory_cli.paths import embedded
from producer.cli import produce
from producer.usage import Command, RefusedError

if TYPE_CHECKING:
    from embedded.dashboard import Page
    from embedded.producer import Producer
    from embedded.stack import EmbeddedStack
    from inventory_cli.workbench import Workbench

LOOK_SECONDS = 1.0
RESTART_SECONDS = 3.0
"""How long the Pipes service stays away when it was killed: long enough to see it."""


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})
@click.option(
    "--allow-origin",
    envvar="ALLOW_ORIGIN",
    metavar="ORIGINS",
    callback=lambda _context, _option, given: _origins(given),
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
    port = _checked(producer_options)

    from deploy.settings import of_resources
    from embedded import dashboard
    from embedded.interrupts import InterruptedRunError, Interrupts
    from embedded.ports import free_port
    from embedded.producer import Producer
    from embedded.stack import EmbeddedStack
    from inventory_cli.workbench import Workbench, enter, say_unused_endpoint

    say_unused_endpoint(state)
    folder = embedded(state)
    if allow_origin:
        os.environ["PIPES_ALLOW_ORIGIN"] = allow_origin
    began = time.monotonic()
    interrupts = Interrupts("The servers save their data first.")
    stack = EmbeddedStack(
        folder,
        os.environ,
        interrupts.pause,
        _say,
        settings=of_resources(os.environ),
        pipes_may_crash=True,
    )
    try:
        with interrupts, stack:
            click.echo(f"Servers are up ({time.monotonic() - began:.1f} s)")
            enter(stack.variables)
            bench = Workbench.from_environment()
            bench.deploy_in_short()
            interrupts.check()
            with ExitStack() as started:
                control = f"127.0.0.1:{free_port()}"
                since = time.time()
                producer = Producer(producer_options, folder, os.environ, control)
                started.callback(lambda: producer.server.stop())  # the one that runs then
                page = None
                if (reason := dashboard.left_out(port)) is None:
                    port = port or stack.port(dashboard.NAME, dashboard.PORT)
                    page = dashboard.Page(port, folder, os.environ, control)
                    started.callback(page.server.stop)
                    page.wait(interrupts.pause)
                for line in _hints(page.url if page else f"none: {reason}", stack.variables):
                    click.echo(line)
                _follow(bench, interrupts.pause, producer, page, stack, since)
    except InterruptedRunError:
        if not stack.kept:
            raise FailedError(_lost(folder)) from None
        click.echo(f"Stopped. The data is kept in {folder}.")
    except FailedError as error:
        if not stack.kept:
            raise FailedError(f"{error.message}. {_lost(folder)}") from error
        raise


def _checked(producer_options: tuple[str, ...]) -> int | None:
    """Check the target and all settings before anything starts. Return the dashboard's port.

    Raises CannotRunError, which names everything that is wrong.
    """
    from deploy.settings import Settings
    from embedded import dashboard
    from inventory_aws.errors import SettingsError
    from inventory_cli.target import Target, chosen_by_name

    match chosen_by_name(os.environ):
        case Target.LOCALSTACK:
            raise CannotRunError(
                "`up` starts the embedded target. To start the containers of TARGET=localstack, "
                "run `make up TARGET=localstack` or `docker compose up`."
            )
        case Target.AWS:
            raise CannotRunError(
                "`up` starts the embedded target. With TARGET=aws, create the resources with "
                f"`{typed('deploy')}`, then send events with `{typed('produce')}`."
            )
    port = None
    problems = []
    try:
        produce.make_context("produce", list(producer_options), click.get_current_context()).close()
    except RefusedError as error:
        problems.append(error.message)
    try:
        port = dashboard.asked(os.environ)
    except SettingsError as error:
        problems.append(str(error))
    try:
        Settings.from_env(os.environ)
    except SettingsError as error:
        problems.append(str(error))
    if problems:
        raise CannotRunError("\n".join(problems))
    return port


def _say(text: str) -> None:
    """Print a line. If nobody reads it any more, go on: the data is still to be saved."""
    with suppress(BrokenPipeError):
        click.echo(text)


def _hints(page: str, variables: Mapping[str, str]) -> Iterator[str]:
    table, verify, env = typed("table"), typed("verify"), f'eval "$({typed("env")})"'
    width = max(map(len, (table, verify, env)))
    yield f"Dashboard      {page}"
    yield f"Another shell  {table:<{width}}  prints the rows"
    yield f"               {verify:<{width}}  checks the table"
    yield f"               {env:<{width}}  connects AWS tools"
    yield f"AWS endpoint   {variables['AWS_ENDPOINT_URL']}"
    yield "Stop           Ctrl+C"


def _lost(folder: Path) -> str:
    from embedded.saved import time_of_newest

    if (saved := time_of_newest(folder)) is None:
        return "MiniStack ended without saving: all data is lost."
    return f"MiniStack ended without saving: the next start has the data of {saved}."


def _origins(given: str | None) -> str | None:
    from eventbridge_pipes import guard  # --help works where it is not installed

    try:
        for each in filter(None, map(str.strip, (given or "").split(","))):
            guard.origin(each)
    except argparse.ArgumentTypeError as error:
        raise click.BadParameter(str(error)) from None
    return given


def _follow(
    bench: Workbench,
    pause: Callable[[float], object],
    producer: Producer,
    page: Page | None,
    stack: EmbeddedStack,
    since: float,
) -> None:
    """Show the outcomes since the producer started, until `pause` raises or a server ends.

    A producer may end, and so may the dashboard: a line says so. A Pipes service that was killed is
    started again.
    """
    from inventory_cli.progress import ProgressLine
    from operations.function_log import FunctionLog
    from operations.words import outcomes

    log = FunctionLog(bench.clients.logs, bench.names.function, since)
    with ProgressLine(sys.stdout) as line:
        while True:
            pause(LOOK_SECONDS)
            try:
                progress = log.poll()
            finally:  # an emulator that ended is a better reason than that it does not answer
                _check(producer, stack)
            seconds = time.time() - since
            rate = progress.handled / seconds
            line.show(f"  {seconds:.0f} s, {rate:.1f} events/s: {outcomes(progress.outcomes)}")
            if said := producer.news(bench.has_stream):
                line.note(said)
            if page is not None and (news := page.news()):
                line.note(news)
            if stack.pipes.killed:
                line.note(f"{stack.pipes.name} was killed. Starting it again.")
                pause(RESTART_SECONDS)
                stack.start_pipes()


def _check(producer: Producer, stack: EmbeddedStack) -> None:
    """Raise FailedError if a server has ended; a killed Pipes service may."""
    for server in (*stack.servers, producer.server):  # which ends when the emulator has
        as_it_should = server is producer.server and (server.finished or server.failed)
        if not (server.running or as_it_should or (server is stack.pipes and server.killed)):
            how = "was killed" if server.killed else "ended"
            raise FailedError(f"{server.name} {how}. Its log is {server.log}")
