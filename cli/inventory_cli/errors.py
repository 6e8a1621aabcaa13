"""How a command that cannot do its work ends: one clear line, and an exit code that says it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click

from inventory_cli.interrupts import InterruptedRunError

MISSING = {
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ResourceNotFoundException",
}
"""How AWS says that there is no queue, and no table, stream or function."""


class CannotRunError(click.ClickException):
    """What was asked for cannot be begun; nothing was done."""

    exit_code = 2


class FailedError(click.ClickException):
    """It was begun, and failed."""

    exit_code = 1


class OneLineCommand(click.Command):
    """A command whose expected failures are a line on standard error, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except InterruptedRunError as stop:
            click.echo(f"Stopped by {stop.signal_name}.", err=True)
            ctx.exit(stop.exit_code)
        except KeyboardInterrupt:
            click.echo("Stopped by SIGINT.", err=True)
            ctx.exit(128 + signal.SIGINT)
        except Exception as error:
            translated = _translated(error, ctx.obj)
            if translated is None:
                raise
            raise translated from error


class OneLineGroup(OneLineCommand, click.Group):
    """Commands that all fail so."""


def _translated(error: Exception, state: Path | None) -> click.ClickException | None:
    """The line for an error that a user can do something about; None for a bug of ours.

    `state` is the state folder.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from build_zip import BuildError
    from inventory_cli.embedded.processes import StartupError
    from inventory_cli.embedded.stack import AlreadyRunningError, NoStackError
    from inventory_cli.localstack import NotRunningError
    from inventory_cli.target import TargetError
    from inventory_cli.workbench import UnaskedError
    from provisioner import NotBegunError, ProvisioningError, SettingsError
    from provisioner.access import access_problem
    from provisioner.permissions import PolicyTooLongError

    if problem := access_problem(error):
        return CannotRunError(problem)
    match error:
        case (
            AlreadyRunningError()
            | NoStackError()
            | NotRunningError()
            | TargetError()
            | SettingsError()
            | NotBegunError()
            | PolicyTooLongError()
            | UnaskedError()
        ):
            return CannotRunError(str(error))
        case ProvisioningError(task="planning"):
            return CannotRunError("\n  ".join([*error.reasons()]) + "; nothing was changed")
        case StartupError() | BuildError() | ProvisioningError():
            return FailedError(str(error))
        case ClientError():
            answer = error.response["Error"]
            line = f"{error.operation_name}: {answer['Code']}: {answer['Message']}"
            if answer["Code"] in MISSING:
                return CannotRunError(f"{line} (inventory provision makes what is missing)")
            return FailedError(line)
        case BotoCoreError():
            return CannotRunError(str(error))
        case OSError(filename=str() | Path() as path, strerror=str(reason)):
            in_state = state is not None and Path(path).is_relative_to(state)
            hint = ": name another folder with --state or INVENTORY_STATE" if in_state else ""
            return CannotRunError(f"{path}: {reason}{hint}")
    return None
