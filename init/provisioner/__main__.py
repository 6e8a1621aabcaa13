"""`python -m provisioner ZIP`: makes the resources so, with nothing but boto3 at hand.

This is what an emulator's start hook runs; people have `inventory provision`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from provisioner.changes import Change
from provisioner.clients import Clients
from provisioner.engine import provision
from provisioner.errors import NotBegunError, ProvisioningError, SettingsError, explain
from provisioner.names import Names
from provisioner.options import Options


def tell(change: Change) -> None:
    print(change, flush=True)


def main(arguments: list[str], report: Callable[[Change], object] = tell) -> int:
    """0 when all is as described; 1 after a line for each resource that is not; 2 after one that
    says why nothing was begun."""
    if len(arguments) != 1:
        print("usage: python -m provisioner ZIP", file=sys.stderr)
        return 2
    try:
        names, options = Names.from_env(os.environ), Options.from_env(os.environ)
        code = Path(arguments[0]).read_bytes()
        clients = Clients.from_session(boto3.Session())
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
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
