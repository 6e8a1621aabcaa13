"""`python -m provisioner ZIP [SETTINGS]`: make the resources, with nothing but boto3 at hand.

This is what an emulator's start hook runs; people have `inventory provision`. SETTINGS is a JSON
object of variables that take precedence over the environment.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from provisioner.changes import Change
from provisioner.clients import Clients
from provisioner.engine import provision
from provisioner.errors import (
    AWS_ERRORS,
    NotBegunError,
    ProvisioningError,
    SettingsError,
    explain,
)
from provisioner.options import settings


def tell(change: Change) -> None:
    print(change, flush=True)


def main(arguments: list[str], report: Callable[[Change], object] = tell) -> int:
    """0 when all is as described and the function has answered an empty batch; 1 after a line for
    each resource that is not; 2 after lines that say why nothing was begun."""
    if len(arguments) not in (1, 2):
        print("usage: python -m provisioner ZIP [SETTINGS]", file=sys.stderr)
        return 2
    code_file, *settings_files = map(Path, arguments)
    try:
        given = {
            name: text for f in settings_files for name, text in json.loads(f.read_bytes()).items()
        }
        names, options = settings({**os.environ, **given})
        code = code_file.read_bytes()
        clients = Clients.from_session(boto3.Session())
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"provisioning did not begin: {line}", file=sys.stderr)
        return 2
    except (ValueError, OSError, BotoCoreError) as error:  # botocore: ValueError for a wrong URL
        print(f"provisioning did not begin: {explain(error)}", file=sys.stderr)
        return 2
    try:
        provision(clients, names, options, code, report)
    except (NotBegunError, SettingsError) as error:
        print(f"provisioning did not begin: {error}", file=sys.stderr)
        return 2
    except ProvisioningError as error:
        for failure in error.failures:
            reason = f"{failure.resource}: {failure.reason}"
            print(f"provisioning failed: {reason}", file=sys.stderr)
        return 1
    if problem := no_answer(clients, names.function):
        print(f"function {names.function} does not run: {problem}", file=sys.stderr)
        return 1
    return 0


def no_answer(clients: Clients, function: str) -> str | None:
    """Return why the function does not answer an empty batch, or None if it does. An emulator
    creates a function that it cannot start."""
    try:
        answer = clients.lambda_.invoke(FunctionName=function, Payload=b"[]")
    except AWS_ERRORS as error:
        return explain(error)
    if "FunctionError" in answer:
        return explain(Exception(answer["Payload"].read().decode(errors="replace")))
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
