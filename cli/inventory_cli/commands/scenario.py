"""`inventory scenario`."""

from __future__ import annotations

from pathlib import Path

import click

from inventory_cli.errors import CannotRunError, FailedError


@click.command()
@click.argument(
    "events_file",
    metavar="[FILE]",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path("DynamodbTableStatus.txt"),
    show_default=True,
    help="Where the tables and events are written.",
)
@click.pass_obj
def scenario(state: Path, events_file: Path | None, output: Path) -> None:
    """Replay a scenario event by event and write down the table after each.

    The documented one loads seven products and does six operations; FILE, JSON lines, takes its
    place. On the embedded target in a stack of its own, which is gone afterwards.
    """
    from inventory_cli.interrupts import Interrupts
    from inventory_cli.scenario import Player, StuckError, documented, from_lines, status_file
    from inventory_cli.workbench import on_own_target
    from producer.errors import CannotStartError

    try:
        preparation = documented("documented-table") if events_file is None else []
        events = (
            documented("documented-operations")
            if events_file is None
            else from_lines(str(events_file), events_file.read_bytes())
        )
    except CannotStartError as error:
        raise CannotRunError(str(error)) from error

    with Interrupts() as interrupts, on_own_target(state, interrupts.pause) as bench:
        bench.provision(lambda change: click.echo(f"  {change}"))
        interrupts.check()
        player = Player(bench.clients, bench.names, bench.policy, interrupts.pause)
        try:
            if preparation:
                player.send(preparation)
                click.echo(f"Loaded {len(preparation)} products")
            before = player.rows()
            operations = []
            for event in events:
                operations.append(operation := player.play(event))
                click.echo(
                    f"{operation.outcome:<10} {event.kind} {event.partition_key}: "
                    f"{len(operation.after)} rows"
                )
        except StuckError as error:
            raise FailedError(str(error)) from error
        output.write_text("\n".join(status_file(before, operations)) + "\n", encoding="utf-8")
        problems = player.problems()
        for problem in problems:
            click.echo(f"  wrong: {problem}")
        if problems:
            raise FailedError("the table is not what the events fold to (above)")
    click.echo(f"The table is right; the story is in {output}.")
