"""Errors of the commands: one clear message and an exit code, never a traceback."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click

from embedded.interrupts import InterruptedRunError
from inventory_cli.invocation import called_by_make, create_missing, typed
from producer.usage import UNREAD_EXIT_CODE, Command, RefusedError

MISSING = {
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ResourceNotFoundException",
}
"""How AWS says that there is no queue, and no table, stream or function."""


class CannotRunError(RefusedError):
    """The command cannot begin; nothing was done (exit 2)."""


class FailedError(click.ClickException):
    """The command began and failed (exit 1)."""


class OneLineCommand(Command):
    """A command whose expected failures are a message on standard error, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except InterruptedRunError as stop:
            click.echo(f"Stopped by {stop.signal_name}.", err=True)
            ctx.exit(stop.exit_code)
        except KeyboardInterrupt:
            click.echo("Stopped by Ctrl+C.", err=True)
            ctx.exit(128 + signal.SIGINT)
        except click.exceptions.Exit as end:
            unread = end.exit_code == UNREAD_EXIT_CODE
            ctx.exit(0 if unread and called_by_make() else end.exit_code)  # make would complain
        except Exception as error:
            translated = _translated(error, ctx.obj)
            if translated is None:
                raise
            raise translated from error


def _translated(error: Exception, state: Path | None) -> click.ClickException | None:
    """Return the message for an error that the user can do something about; None for a bug.

    `state` is the state folder.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from deploy.package import BuildError
    from deploy.stack import DeploymentError
    from embedded.processes import StartupError
    from embedded.stack import AlreadyRunningError, NoStackError
    from inventory_aws.errors import SettingsError, access_problem, explain
    from operations.table_stream import NoStreamError

    if problem := access_problem(error):
        return CannotRunError(problem)
    match error:
        case AlreadyRunningError() | SettingsError() | BotoCoreError():
            return CannotRunError(str(error))
        case NoStackError():
            return CannotRunError(f"{error} Start one with `{typed('up')}`.")
        case NoStreamError():
            return CannotRunError(f"{error} {create_missing()}")
        case StartupError() | BuildError() | DeploymentError():
            return FailedError(str(error))
        case ClientError() if error.response["Error"]["Code"] in MISSING:
            return CannotRunError(f"{explain(error)}. {create_missing()}")
        case ClientError():
            return FailedError(explain(error))
        case OSError(filename=str() | Path() as path, strerror=str(reason)):
            in_state = state is not None and Path(path).is_relative_to(state)
            hint = ". Choose another folder with --state or INVENTORY_STATE." if in_state else ""
            return CannotRunError(f"{path}: {reason}{hint}")
    return None
