"""A payload in the user's editor."""

from __future__ import annotations

import click

from inventory_cli.errors import CannotRunError
from operations.redrive.failed_event import FailedEvent


def edited(event: FailedEvent) -> FailedEvent:
    """The event with the payload that the user saved, and the id that it had.

    It stays as it is when nothing was saved, or when there is no payload. Raises CannotRunError
    when the editor cannot be run.
    """
    if event.payload is None:
        return event
    try:
        saved = click.edit(event.payload, extension=".json")
    except click.ClickException as error:
        raise CannotRunError(f"{error.message} Set EDITOR to another editor.") from error
    if saved is None:
        return event
    return event.with_payload(saved.strip())
