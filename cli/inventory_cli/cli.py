"""The `inventory` command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from inventory_cli.commands.audit import audit
from inventory_cli.commands.demo import demo
from inventory_cli.commands.deploying import deploy, destroy, package
from inventory_cli.commands.failed import dead_letters, rejected
from inventory_cli.commands.looking import env, table
from inventory_cli.commands.plan import plan
from inventory_cli.commands.producing import produce
from inventory_cli.commands.redrive import redrive
from inventory_cli.commands.scenario import scenario
from inventory_cli.commands.up import up
from inventory_cli.commands.verify import verify
from inventory_cli.errors import OneLineGroup
from inventory_cli.invocation import DEFAULT_STATE


@click.group(cls=OneLineGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="INVENTORY_STATE",
    default=DEFAULT_STATE,
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
    chosen_here = ctx.get_parameter_source("state") is click.core.ParameterSource.COMMANDLINE
    if chosen_here and os.environ.get("AWS_ENDPOINT_URL"):
        os.environ.setdefault("TARGET", "embedded")
    if os.environ.get("TARGET") == "localstack":
        from inventory_cli import localstack

        os.environ.update(localstack.settings(os.environ, Path(".env")))


COMMANDS = (
    *(up, demo, scenario, produce, table, verify, rejected, dead_letters, redrive),
    *(audit, env, plan, deploy, destroy, package),
)
for command in COMMANDS:
    cli.add_command(command)
