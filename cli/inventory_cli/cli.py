"""The `inventory` command."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

from inventory_cli.errors import CannotRunError, OneLineCommand

COMMANDS = {
    "up": ("up", "Run the whole pipeline on this machine until Ctrl+C."),
    "demo": ("demo", "Run the pipeline once and check the resulting table."),
    "scenario": ("scenario", "Send a few events one by one and show the table."),
    "produce": ("produce", "Send generated events to the stream."),
    "table": ("table", "Print the rows of the table."),
    "verify": ("verify", "Check the table against the events on the stream."),
    "rejected": ("failed", "List the events that the function rejected."),
    "dead-letters": ("failed", "List the events that the pipe gave up on."),
    "redrive": ("redrive", "Send failed events to the stream again."),
    "audit": ("audit", "Record every change of the table, and show the log."),
    "env": ("env", "Print the variables that connect a shell to the pipeline."),
    "plan": ("plan", "Estimate capacity, quotas and monthly cost on AWS."),
    "deploy": ("deploy", "Create or update the resources, with CloudFormation."),
    "destroy": ("deploy", "Delete the resources and all their data."),
    "package": ("deploy", "Build the functions' zip."),
}
"""Each command's module in `inventory_cli.commands`, and its line in the help."""


class LazyGroup(OneLineCommand, click.Group):
    """Loads only the module of the command that runs: boto3 and others take a while."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            meant = get_close_matches(cmd_name, COMMANDS, 1)
            hint = f"Did you mean {meant[0]}?" if meant else "--help lists the commands."
            raise CannotRunError(f"{cmd_name!r} is not a command. {hint}")
        module = import_module(f"inventory_cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="INVENTORY_STATE",
    default=Path(".inventory"),
    show_default=True,
    help="The folder of the embedded target; also INVENTORY_STATE.",
)
@click.version_option(package_name="inventory-stack")
@click.pass_context
def cli(ctx: click.Context, state: Path) -> None:
    """A real-time inventory pipeline: Kinesis, EventBridge Pipe, Lambda, DynamoDB.

    The variable TARGET chooses where the commands work:

    \b
      embedded    (default) servers that `up` starts on this machine
      localstack  containers that `docker compose up` starts
      aws         your AWS account, or AWS_ENDPOINT_URL if it is set

    If TARGET is not set and AWS_ENDPOINT_URL is, all commands except up, demo and scenario use
    that endpoint. With --state, they use the embedded target.
    """
    ctx.obj = state
    if region := os.environ.get("AWS_REGION"):  # other SDKs read this one
        os.environ.setdefault("AWS_DEFAULT_REGION", region)
    if ctx.get_parameter_source("state") is click.core.ParameterSource.COMMANDLINE:
        os.environ.setdefault("TARGET", "embedded")
    if os.environ.get("TARGET") == "localstack":
        from inventory_cli.target import with_compose_settings

        os.environ.update(with_compose_settings(os.environ, Path(".env")))
