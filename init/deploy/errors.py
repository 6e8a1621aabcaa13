"""What can go wrong."""

from __future__ import annotations

from botocore.exceptions import ClientError

from deploy.access import access_problem


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used. The message names it."""


class DeploymentError(Exception):
    """What was asked for did not happen. The message says why, and what to do."""


def explain(error: Exception) -> str:
    """The reason in one printable line: for an answer of AWS its operation, code and message."""
    problem = access_problem(error)
    text = problem or str(error)
    if problem is None and isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        text = f"{error.operation_name}: {answer.get('Code')}: {answer.get('Message')}"
    return "".join(c if c.isprintable() else " " for c in text)
