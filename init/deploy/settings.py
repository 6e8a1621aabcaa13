"""The settings of the resources: environment variables, which are parameters of the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml

from deploy.errors import SettingsError
from deploy.names import Names

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
PARAMETERS = {
    "STREAM_NAME": "StreamName",
    "TABLE_NAME": "TableName",
    "STREAM_SHARDS": "StreamShards",
    "BATCH_SIZE": "BatchSize",
    "BATCHING_WINDOW_SECONDS": "BatchingWindowSeconds",
    "MAX_RETRY_ATTEMPTS": "MaxRetryAttempts",
    "MAX_RECORD_AGE_SECONDS": "MaxRecordAgeSeconds",
    "STARTING_POSITION": "StartingPosition",
    "FUNCTION_RUNTIME": "FunctionRuntime",
    "FUNCTION_MEMORY_MB": "FunctionMemoryMb",
    "FUNCTION_TIMEOUT_SECONDS": "FunctionTimeoutSeconds",
    "REMOVAL_NAME_POLICY": "RemovalNamePolicy",
    "LOW_STOCK": "LowStock",
    "HIGH_STOCK": "HighStock",
    "LAG_ALARM_SECONDS": "LagAlarmSeconds",
    "REJECTED_SHARE_ALARM_PERCENT": "RejectedShareAlarmPercent",
    "LOG_RETENTION_DAYS": "LogRetentionDays",
    "KMS_KEY_ARN": "KmsKeyArn",
    "POINT_IN_TIME_RECOVERY": "PointInTimeRecovery",
    "DELETION_PROTECTION": "DeletionProtection",
}
"""Variable → parameter. STAGE is the parameter NamePrefix: see `Names`."""


@dataclass(frozen=True)
class Settings:
    """`parameters` has the value of each parameter of the template that a variable sets."""

    names: Names
    parameters: Mapping[str, str]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError, with a line for each variable that the template refuses."""
        declared = template()["Parameters"]
        problems = list(_problems(environ, declared))
        names = Names()
        try:
            names = Names.from_env(environ)
        except SettingsError as error:
            problems.insert(0, str(error))
        if problems:
            raise SettingsError("\n".join(problems))
        values = {
            parameter: environ.get(variable) or str(declared[parameter]["Default"])
            for variable, parameter in PARAMETERS.items()
        }
        return cls(names, {"NamePrefix": names.prefix, **values})


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms; what they refer to is left alone."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return loaded


def _problems(environ: Mapping[str, str], declared: Mapping[str, Any]) -> Iterator[str]:
    for variable, parameter in PARAMETERS.items():
        value = environ.get(variable)
        if value and (needed := _needed(value, declared[parameter])):
            yield f"{variable} must be {needed} (it is {value!r})"


def _needed(value: str, parameter: Mapping[str, Any]) -> str | None:
    """What the value of a parameter must be, if this one is not. As CloudFormation would judge."""
    if allowed := parameter.get("AllowedValues"):
        return None if value in map(str, allowed) else f"one of {', '.join(map(str, allowed))}"
    if parameter["Type"] == "Number":
        low, high = parameter["MinValue"], parameter["MaxValue"]
        whole = re.fullmatch("-?[0-9]{1,9}", value)
        return (
            None if whole and low <= int(value) <= high else f"a whole number from {low} to {high}"
        )
    matched = re.fullmatch(parameter["AllowedPattern"], value, re.ASCII)
    return None if matched else parameter["ConstraintDescription"]
