"""`python -m deploy ZIP SETTINGS`: what the start hook of an emulator in a container runs.

SETTINGS is a JSON object of variables that take precedence over the environment. The program needs
boto3 and PyYAML alone. People use `inventory deploy`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.deployment import Deployment
from deploy.settings import Settings
from deploy.stack import DeploymentError, Report
from inventory_aws.errors import SettingsError, explain


def main(zip_file: Path, settings_file: Path) -> int:
    """Return 0 if all is deployed and the function answers, otherwise 1. Lines on standard error
    say why."""
    report = Report(lambda line: print(line, flush=True))
    try:
        environ = {**os.environ, **json.loads(settings_file.read_bytes())}
        settings = Settings.from_env(environ)
        deployment = Deployment(boto3.Session(), settings, environ)
        deployment.deploy(zip_file.read_bytes(), lambda plan: None, report, print)
        _check_that_it_answers(deployment)
    except (DeploymentError, ClientError, BotoCoreError, OSError, ValueError) as error:
        lines = str(error).splitlines() if isinstance(error, SettingsError) else [explain(error)]
        for line in lines:
            print(f"The deployment failed: {line}", file=sys.stderr)
        return 1
    print(f"Stage {settings.names.stage}: {report}")
    return 0


def _check_that_it_answers(deployment: Deployment) -> None:
    """Raise DeploymentError if the function does not answer an empty batch. An emulator creates a
    function that it cannot start."""
    name = deployment.settings.names.function
    answer = deployment.session.client("lambda").invoke(FunctionName=name, Payload=b"[]")
    if "FunctionError" in answer:
        reason = answer["Payload"].read().decode(errors="replace")
        raise DeploymentError(f"function {name} does not run: {reason}")


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
