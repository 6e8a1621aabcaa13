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
    """Return 0 if all is deployed and the function answers, 1 if that failed, 2 if it was not
    begun. Lines on standard error say why."""
    report = Report(lambda line: print(line, flush=True))
    begun = False
    try:
        environ = {**os.environ, **json.loads(settings_file.read_bytes())}
        settings, code = Settings.from_env(environ), zip_file.read_bytes()
        deployment = Deployment(boto3.Session(), settings, environ)
        begun = bool(deployment.account)  # asks AWS: without access, nothing begins
        deployment.deploy(code, lambda plan: None, report, print)
        _await_answer(deployment)
    except (DeploymentError, ClientError, BotoCoreError, OSError, ValueError) as error:
        begun = begun and not isinstance(error, SettingsError)
        what = "failed" if begun else "did not begin"
        lines = str(error).splitlines() if isinstance(error, SettingsError) else [explain(error)]
        for line in lines:
            print(f"The deployment {what}: {line}", file=sys.stderr)
        return 1 if begun else 2
    print(f"Stage {settings.names.stage}: {report}")
    return 0


def _await_answer(deployment: Deployment) -> None:
    """Raise DeploymentError if the function does not answer an empty batch. An emulator creates a
    function that it cannot start."""
    name = deployment.settings.names.function
    answer = deployment.session.client("lambda").invoke(FunctionName=name, Payload=b"[]")
    if "FunctionError" in answer:
        reason = answer["Payload"].read().decode(errors="replace")
        raise DeploymentError(f"function {name} does not run: {reason}")


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
