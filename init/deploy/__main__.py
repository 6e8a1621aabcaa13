"""`python -m deploy ZIP`: what an emulator's start hook runs, with boto3 and PyYAML alone.

People have `inventory deploy`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.deployment import Clients, Deployment
from deploy.errors import DeploymentError, SettingsError, explain
from deploy.report import Report
from deploy.settings import Settings


def main(zip_file: Path) -> int:
    """0 when all is deployed, 2 if it was not begun, 1 if it failed; a line says why."""
    report = Report(lambda line: print(line, flush=True))
    try:
        settings = Settings.from_env(os.environ)
        deployment = Deployment(Clients.from_session(boto3.Session()), settings, os.environ)
        deployment.deploy(zip_file.read_bytes(), lambda plan: None, report, print)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except (DeploymentError, ClientError, BotoCoreError, OSError) as error:
        print(f"The pipeline is not deployed: {explain(error)}", file=sys.stderr)
        return 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
