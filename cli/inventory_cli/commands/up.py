"""`inventory up`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eventbridge_pipes import guard
from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.paths import embedded
from producer.cli import produce

if TYPE_CHECKING:
    from inventory_cli.embedded.dashboard import Page
    from inventory_cli.embedded.processes import Server
    from inventory_cli.embedded.stack import EmbeddedStack
    from inventory_cli.workbench import Workbench

LOOK_SECONDS = 1.0
RESTART_SECONDS = 3.0
"""How long the Pipes service stays away when it was killed: long enough to see it."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--allow-origin",
    envvar="ALLOW_ORIGIN",
    metavar="ORIGINS",
    callback=lambda _context, _option, given: _origins(given),
    help="Origins whose web pages may use the servers, such as http://localhost:3000, with commas "
    "between. Pages of others are refused.",
)
@click.argument("producer_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def up(state: Path, allow_origin: str | None, producer_options: tuple[str, ...]) -> None:
    """Run the whole stack on this machine until Ctrl+C: servers, resources, producer, dashboard.

    Options of `inventory produce` are handed on to the producer: `inventory up --rate 20`. What
    the stack holds is kept, and there again the next time.
    """
    produce.make_context("produce", list(producer_options))  # a wrong option stops it here

    from inventory_cli.embedded import dashboard
    from inventory_cli.embedded.processes import free_port
    from inventory_cli.embedded.stack import EmbeddedStack
    from inventory_cli.interrupts import InterruptedRunError, Interrupts
    from inventory_cli.target import Target, chosen_by_name
    from inventory_cli.workbench import Workbench, enter, say_unused_endpoint

    match chosen_by_name(os.environ):
        case Target.LOCALSTACK:
            raise CannotRunError(
                "inventory up starts the servers of the embedded target; for TARGET=localstack run "
                "`make up TARGET=localstack` or `docker compose up`"
            )
        case Target.AWS:
            raise CannotRunError(
                "inventory up starts the servers of the embedded target; elsewhere they run "
                "already: use inventory provision and inventory produce"
            )
    say_unused_endpoint(state)
    port = dashboard.asked(os.environ)  # a wrong one stops it here
    folder = embedded(state)
    if allow_origin:
        os.environ["PIPES_ALLOW_ORIGIN"] = allow_origin
    interrupts = Interrupts()
    stack = EmbeddedStack(folder, os.environ, interrupts.pause, click.echo, pipes_may_crash=True)
    try:
        with interrupts, stack:
            enter(stack.variables)
            bench = Workbench.from_environment()
            for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PIPES"):
                click.echo(f"{name}={stack.variables[name]}")
            bench.provision(lambda change: click.echo(f"  {change}"))
            interrupts.check()
            with ExitStack() as started:
                control = f"127.0.0.1:{free_port()}"
                producer = _start_producer(folder, producer_options, control)
                started.callback(producer.stop)
                page = None
                if (reason := dashboard.left_out(port)) is None:
                    port = port or stack.port(dashboard.NAME, dashboard.PORT)
                    page = dashboard.Page(port, folder, os.environ, control)
                    started.callback(page.server.stop)
                else:
                    click.echo(f"No dashboard: {reason}")
                click.echo('In another shell: inventory table, or eval "$(inventory env)"')
                _follow(bench, interrupts.pause, producer, page, stack)
    except InterruptedRunError:
        if not stack.kept:
            raise FailedError(_lost(folder)) from None
        click.echo(f"Stopped. What the stack holds is kept in {folder}.")
    except FailedError as error:
        if not stack.kept:
            raise FailedError(f"{error.message}. {_lost(folder)}") from error
        raise


def _lost(folder: Path) -> str:
    from inventory_cli.embedded.saved import time_of_newest

    if (saved := time_of_newest(folder)) is None:
        return "MiniStack ended without saving: what the stack held is lost."
    return (
        f"MiniStack ended without saving: the next run begins with what the stack held at {saved}."
    )


def _origins(given: str | None) -> str | None:
    try:
        for each in filter(None, map(str.strip, (given or "").split(","))):
            guard.origin(each)
    except argparse.ArgumentTypeError as error:
        raise click.BadParameter(str(error)) from None
    return given


def _start_producer(folder: Path, options: tuple[str, ...], control: str) -> Server:
    from inventory_cli.embedded.processes import Server

    argv = [sys.executable, "-m", "producer", "--output", "jsonl", "--control", control, *options]
    return Server.start("The producer", argv, os.environ, folder / "producer.log")


def _follow(
    bench: Workbench,
    pause: Callable[[float], object],
    producer: Server,
    page: Page | None,
    stack: EmbeddedStack,
) -> None:
    """Show what the function makes of the events, until `pause` raises or a server ends.

    A producer that has sent all it was asked for is no reason to stop. A dashboard that ends is
    told of, as is one that begins to answer, and a Pipes service that was killed is started again.
    """
    from inventory_cli.function_log import FunctionLog
    from inventory_cli.narration import ProgressLine, outcomes

    log = FunctionLog(bench.clients.logs, bench.names.function, since=time.time())
    started = time.monotonic()
    with ProgressLine(sys.stdout) as line:
        while True:
            pause(LOOK_SECONDS)
            try:
                progress = log.poll()
            finally:  # an emulator that ended is a better reason than that it does not answer
                _check(producer, stack)
            seconds = time.monotonic() - started
            rate = progress.handled / seconds
            line.show(f"  {seconds:.0f} s, {rate:.1f} events/s: {outcomes(progress.outcomes)}")
            if page is not None and (news := page.news()):
                line.note(news)
            if stack.pipes.killed:
                line.note(f"{stack.pipes.name} was killed; it is started again")
                pause(RESTART_SECONDS)
                stack.start_pipes()


def _check(producer: Server, stack: EmbeddedStack) -> None:
    """Raises FailedError when one ended that should not have; a killed Pipes service may."""
    for server in (*stack.servers, producer):  # which ends when the emulator has
        as_it_should = server is producer and producer.finished
        if not (server.running or as_it_should or (server is stack.pipes and server.killed)):
            how = "was killed" if server.killed else "ended"
            raise FailedError(f"{server.name} {how}; its log: {server.log}")
