"""`inventory export`: the resources as a CloudFormation template, and IAM policies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inventory_cli.errors import OneLineGroup
from producer.usage import Command

if TYPE_CHECKING:
    from provisioner.account import Account


@click.group(cls=OneLineGroup)
def export() -> None:
    """Write a CloudFormation template or IAM policies."""


def _as_json(template: dict[str, Any]) -> str:
    import json

    return json.dumps(template, indent=2) + "\n"


def _as_yaml(template: dict[str, Any]) -> str:
    from inventory_cli.template_yaml import written

    return written(template)


FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {"yaml": _as_yaml, "json": _as_json}


@export.command(cls=Command)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write. The functions' zip is written beside it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="yaml",
    show_default=True,
    help="The format of the template.",
)
def cloudformation(output: Path | None, form: str) -> None:
    """Write a CloudFormation template of all resources.

    It works in any account and Region. Names and settings come from the environment.
    """
    import provisioner
    from inventory_cli.workbench import packaged_function
    from provisioner.cloudformation import code_key, template
    from provisioner.kinds.functions import code_sha256

    names, options = provisioner.settings(os.environ)
    code = packaged_function()
    text = FORMATS[form](template(names, options, code_sha256(code)))
    if output is None:
        click.echo(text, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    package = output.parent / code_key(code_sha256(code))
    package.write_bytes(code)
    output.write_text(text, encoding="utf-8")
    click.echo(output)
    click.echo(package)


def _like(pattern: str, otherwise: str) -> Callable[[Any, Any, str | None], str | None]:
    """Return a check of an option; `otherwise` says what it must be."""

    def checked(_context: Any, _parameter: Any, value: str | None) -> str | None:
        if value is None or re.fullmatch(pattern, value):
            return value
        raise click.BadParameter(otherwise)

    return checked


@export.command(cls=Command)
@click.option(
    "--account",
    metavar="ID",
    callback=_like(r"\d{12}", "must be the 12 digits of an account"),
    help="The account. Default: that of your credentials.",
)
@click.option("--region", help="The Region. Default: that of your environment.")
@click.option(
    "--principal",
    metavar="role/NAME|user/NAME",
    default="role/inventory-deployer",
    show_default=True,
    callback=_like("(role|user)/.+", "must be role/NAME or user/NAME"),
    help="The role or user that deploys. It may simulate its own policies.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="The folder to write to.",
)
def policies(account: str | None, region: str | None, principal: str, output: Path) -> None:
    """Write the IAM policies to deploy and to operate.

    Two files are for those who deploy, one is for those who operate. The policies name the
    resources of the stage. docs/aws.md explains how to use them.
    """
    import provisioner
    from provisioner import permissions

    names, options = provisioner.settings(os.environ)
    where = _account(account, region)
    options.check(where.region)
    deploys = f"arn:{where.partition}:iam::{where.id}:{principal}"
    granted = permissions.policies(names, options, where, deploys)
    texts = {name: permissions.written(grants) for name, grants in granted.items()}
    output.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        file = output / f"{name}.json"
        file.write_text(text, encoding="utf-8")
        click.echo(file)


def _account(account_id: str | None, region: str | None) -> Account:
    """As given; whatever is not given is asked of AWS."""
    import boto3

    import provisioner
    from provisioner.account import Account

    session = boto3.Session(region_name=region)
    if account_id is None:
        return provisioner.whose(provisioner.Clients.from_session(session))
    if session.region_name is None:
        raise provisioner.SettingsError("No AWS Region. Set AWS_DEFAULT_REGION.")
    partition = session.get_partition_for_region(session.region_name)
    return Account(account_id, session.region_name, partition)


@export.command(cls=Command, hidden=True)
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path))
def permissions(page: Path) -> None:
    """Write docs/permissions.md."""
    from provisioner.permissions import matrix

    page.write_text(matrix.page(), encoding="utf-8")
    click.echo(page)
