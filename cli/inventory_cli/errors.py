"""How a command that cannot do its work ends: one clear line, and an exit code that says it."""

from __future__ import annotations

from typing import Any

import click

from inventory_cli.interrupts import InterruptedRunError


class CannotRunError(click.ClickException):
    """What was asked for cannot be begun; nothing was done."""

    exit_code = 2


class FailedError(click.ClickException):
    """It was begun, and failed."""

    exit_code = 1


class OneLineGroup(click.Group):
    """Commands whose expected failures are a line on standard error, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except InterruptedRunError as stop:
            click.echo(f"Stopped by {stop.signal_name}.", err=True)
            ctx.exit(stop.exit_code)
        except Exception as error:
            translated = _translated(error)
            if translated is None:
                raise
            raise translated from error


def _translated(error: Exception) -> click.ClickException | None:
    """The line for an error that is somebody's to mend; None for one that is ours."""
    from botocore.exceptions import BotoCoreError, ClientError

    from build_zip import BuildError
    from inventory_cli.embedded.processes import StartupError
    from inventory_cli.embedded.stack import AlreadyRunningError, NoStackError
    from inventory_cli.localstack import NotRunningError
    from inventory_cli.target import TargetError
    from provisioner import ProvisioningError, SettingsError

    match error:
        case (
            AlreadyRunningError()
            | NoStackError()
            | NotRunningError()
            | TargetError()
            | SettingsError()
        ):
            return CannotRunError(str(error))
        case StartupError() | BuildError() | ProvisioningError():
            return FailedError(str(error))
        case ClientError():
            answer = error.response["Error"]
            return FailedError(f"{error.operation_name}: {answer['Code']}: {answer['Message']}")
        case BotoCoreError():
            return CannotRunError(str(error))
        case OSError(filename=str(path), strerror=str(reason)):
            return CannotRunError(f"{path}: {reason}")
    return None
