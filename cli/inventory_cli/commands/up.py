"""`inventory up`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.paths import embedded
from producer.cli import produce

if TYPE_CHECKING:
    from inventory_cli.embedded.processes import Server
    from inventory_cli.workbench import Workbench

LOOK_SECONDS = 1.0


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("producer_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def up(state: Path, producer_options: tuple[str, ...]) -> None:
    """Run the whole stack on this machine until Ctrl+C: servers, resources, producer.

    Options of `inventory produce` are handed on to the producer: `inventory up --rate 20`. What
    the stack holds is kept, and there again the next time.
    """
    produce.make_context("produce", list(producer_options))  # a wrong option stops it here

    from inventory_cli.embedded.stack import EmbeddedStack
    from inventory_cli.interrupts import InterruptedRunError, Interrupts
    from inventory_cli.target import Target, chosen
    from inventory_cli.workbench import Workbench, enter

    match chosen(os.environ):
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
    folder = embedded(state)
    try:
        with (
            Interrupts() as interrupts,
            EmbeddedStack(folder, os.environ, interrupts.pause) as stack,
        ):
            enter(stack.variables)
            bench = Workbench.from_environment()
            for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PIPES"):
                click.echo(f"{name}={stack.variables[name]}")
            bench.provision(lambda change: click.echo(f"  {change}"))
            interrupts.check()
            producer = _start_producer(folder, producer_options)
            try:
                click.echo('In another shell: inventory table, or eval "$(inventory env)"')
                _follow(bench, interrupts.pause, producer, stack.servers)
            finally:
                producer.stop()
    except InterruptedRunError:
        click.echo(f"Stopped. What the stack holds is kept in {folder}.")


def _start_producer(folder: Path, options: tuple[str, ...]) -> Server:
    from inventory_cli.embedded.processes import Server

    argv = [sys.executable, "-m", "producer", "--output", "jsonl", *options]
    return Server.start("The producer", argv, os.environ, folder / "producer.log")


def _follow(
    bench: Workbench,
    pause: Callable[[float], object],
    producer: Server,
    servers: Sequence[Server],
) -> None:
    """Show what the function makes of the events, until `pause` raises or a server ends.

    A producer that has sent all it was asked for is no reason to stop.
    """
    from inventory_cli.function_log import FunctionLog
    from inventory_cli.narration import ProgressLine, outcomes

    log = FunctionLog(bench.clients.logs, bench.names.function, since=time.time())
    started = time.monotonic()
    with ProgressLine(sys.stdout) as line:
        while True:
            pause(LOOK_SECONDS)
            progress = log.poll()
            seconds = time.monotonic() - started
            rate = progress.handled / seconds
            line.show(f"  {seconds:.0f} s, {rate:.1f} events/s: {outcomes(progress.outcomes)}")
            for server in (producer, *servers):
                if not server.running and not (server is producer and producer.finished):
                    raise FailedError(f"{server.name} ended; its log: {server.log}")
