"""The settings of a pipeline: environment variables, which are parameters of the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml

from deploy.errors import SettingsError

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
DEFAULT_STAGE = "default"


@dataclass(frozen=True)
class Names:
    """The names that the template derives from the stage, as far as programs use them."""

    stage: str = DEFAULT_STAGE
    stack: str = "inventory"
    stream: str = "realtimeInventoryProcessing"
    table: str = "product_inventory"
    removals_table: str = "inventory_removals"
    function: str = "inventory-processor"
    pipe: str = "inventory-pipe"
    dead_letter_queue: str = "inventory-pipe-dlq"
    rejected_queue: str = "inventory-rejected"
    topic: str = "inventory-failures"
    alerts_table: str = "inventory_alerts"
    alerts_function: str = "inventory-alerts"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return those of STAGE; STREAM_NAME and TABLE_NAME can differ. Raises SettingsError."""
        stage = environ.get("STAGE") or DEFAULT_STAGE
        if not re.fullmatch("[a-z][a-z0-9-]{0,19}", stage, re.ASCII):
            raise SettingsError(
                f"STAGE must be 1-20 of a-z, 0-9 and -, beginning with a letter (it is {stage!r})"
            )
        names = {f.name: f"{_prefix(stage)}{f.default}" for f in fields(cls)} | {"stage": stage}
        for field, variable in (("stream", "STREAM_NAME"), ("table", "TABLE_NAME")):
            names[field] = environ.get(variable) or names[field]
        return cls(**names)


@dataclass(frozen=True)
class Settings:
    """`parameters` has the value of each parameter of the template that a variable sets."""

    names: Names
    parameters: Mapping[str, str]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError, with a line for each variable that the template refuses."""
        names, problems = Names(), []
        try:
            names = Names.from_env(environ)
        except SettingsError as error:
            problems.append(str(error))
        if problems := [*problems, *_problems(environ)]:
            raise SettingsError("\n".join(problems))
        values = {
            parameter: environ.get(variable) or str(template()["Parameters"][parameter]["Default"])
            for variable, parameter in variables().items()
        }
        values |= {"StreamName": names.stream, "TableName": names.table}
        return cls(names, {"NamePrefix": _prefix(names.stage), **values})


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms; what they refer to is left alone."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return loaded


@cache
def variables() -> dict[str, str]:
    """Return the variable of each parameter that has one: STREAM_SHARDS sets StreamShards.

    STAGE sets NamePrefix, and deploy itself sets the parameters without a variable.
    """
    others = ("CodeBucket", "CodeKey", "NamePrefix", "PipesHaveOwnEndpoint")
    parameters = [name for name in template()["Parameters"] if name not in others]
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(): name for name in parameters}


def _prefix(stage: str) -> str:
    return "" if stage == DEFAULT_STAGE else f"{stage}-"


def _problems(environ: Mapping[str, str]) -> Iterator[str]:
    for variable, parameter in variables().items():
        value = environ.get(variable)
        if value and (needed := _needed(value, template()["Parameters"][parameter])):
            yield f"{variable} must be {needed} (it is {value!r})"


def _needed(value: str, parameter: Mapping[str, Any]) -> str | None:
    """Return what the value of a parameter must be if this one is not, as CloudFormation judges."""
    if allowed := [*map(str, parameter.get("AllowedValues", ()))]:
        return None if value in allowed else f"one of {', '.join(allowed)}"
    if parameter["Type"] == "Number":
        low, high = parameter["MinValue"], parameter["MaxValue"]
        if re.fullmatch("-?[0-9]{1,9}", value, re.ASCII) and low <= int(value) <= high:
            return None
        return f"a whole number from {low} to {high}"
    matched = re.fullmatch(parameter["AllowedPattern"], value, re.ASCII)
    return None if matched else parameter["ConstraintDescription"]
