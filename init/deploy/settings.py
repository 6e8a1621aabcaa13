"""The settings of a pipeline: environment variables, which are parameters of the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml

from inventory_aws.errors import SettingsError
from inventory_aws.names import Names, prefix

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


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
        return cls(names, {"NamePrefix": prefix(names.stage), **values})


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


def of_resources(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environ` that name or configure resources."""
    known = {"STAGE", *variables()}
    return {name: value for name, value in environ.items() if name in known}


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
