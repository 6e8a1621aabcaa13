"""A payload in the user's editor."""

from __future__ import annotations

from dataclasses import replace

import click

from inventory.event import claims
from inventory_cli.errors import CannotRunError
from operations.redrive.item import Item


def edited(item: Item) -> Item:
    """The item with the payload that the user saved, and the id that it had.

    It stays as it is when nothing was saved, or when there is no payload. Raises CannotRunError
    when the editor cannot be run.
    """
    if item.payload is None:
        return item
    try:
        saved = click.edit(item.payload, extension=".json")
    except click.ClickException as error:
        raise CannotRunError(f"{error.message} Set EDITOR to another editor.") from error
    if saved is None:
        return item
    payload = saved.strip()
    return replace(item, payload=payload, product_id=claims(payload)[1])
