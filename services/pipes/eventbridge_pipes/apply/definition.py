"""From a pipe's properties in a template to CreatePipe's request, and from that to UpdatePipe's.

botocore's model of the API tells the parameters and their types.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.utils import parse_to_aware_datetime

from eventbridge_pipes.api.rules import default_batch_size
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.sources import source_kind_of
from eventbridge_pipes.targets import target_kind_of

Request = dict[str, Any]

NAME_LIMIT = 64
STACK_TAG = "eventbridge-pipes:stack"
"""CloudFormation's own tags begin with `aws:`, which nobody else may use."""

_SETTINGS = ("SourceParameters", "EnrichmentParameters", "TargetParameters")
_DEFAULTS = {
    "InvocationType": "REQUEST_RESPONSE",
    "Level": "OFF",
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
}
"""What DescribePipe may show of a pipe that was created without it, but for the batch size."""


@cache
def _shape(operation: str) -> Any:
    model = ServiceModel(Loader().load_service_model("pipes", "service-2"), "pipes")
    return model.operation_model(operation).input_shape


def default_name(stack: str | None, logical_id: str) -> str:
    """The name of a pipe whose template gives none, the same each time."""
    name = f"{stack}-{logical_id}" if stack else logical_id
    if len(name) <= NAME_LIMIT:
        return name
    return f"{name[: NAME_LIMIT - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def create_request(
    logical_id: str, properties: Any, stack: str | None
) -> tuple[Request, list[str]]:
    """CreatePipe's parameters, and what is wrong with the properties."""
    problems: list[str] = []
    path = f"Resources.{logical_id}.Properties"
    if isinstance(properties, dict):
        properties = {"Name": default_name(stack, logical_id), **properties}
        tags = properties.get("Tags", {})
        if stack and isinstance(tags, dict):
            properties["Tags"] = {**tags, STACK_TAG: stack}
    request = _typed(_shape("CreatePipe"), properties, path, problems)
    return request, problems


def _typed(shape: Any, value: Any, path: str, problems: list[str]) -> Any:
    match shape.type_name, value:
        case _, None:
            return None  # not resolved, and noted as that
        case "structure", dict():
            return _structure(shape, value, path, problems)
        case "map", dict():
            return {k: _typed(shape.value, v, f"{path}.{k}", problems) for k, v in value.items()}
        case "list", list():
            items = enumerate(value)
            return [_typed(shape.member, v, f"{path}.{i}", problems) for i, v in items]
        case "string", str() if value in shape.metadata.get("enum", [value]):
            return value
        case "integer", str() if re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        case "boolean", str() if value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "timestamp", str():
            try:
                return parse_to_aware_datetime(value)
            except (ValueError, RuntimeError):
                pass  # the message is the one below
    shown = value if isinstance(value, str) else f"a {'list' if isinstance(value, list) else 'map'}"
    choice = shape.metadata.get("enum")
    wanted = f"one of {', '.join(choice)}" if choice else f"a value of the type {shape.type_name}"
    problems.append(f"{path}: {shown} is not {wanted}")
    return None


def _structure(shape: Any, value: Mapping[str, Any], path: str, problems: list[str]) -> Request:
    # The API has a few members in lower case, such as awsvpcConfiguration; CloudFormation none.
    members = {name[0].upper() + name[1:]: name for name in shape.members}
    problems += [f"{path}.{name}: a pipe has no such property" for name in value.keys() - members]
    problems += [
        f"{path}.{property_}: is missing"
        for property_, member in members.items()
        if member in shape.required_members and property_ not in value
    ]
    return {
        members[name]: _typed(shape.members[members[name]], v, f"{path}.{name}", problems)
        for name, v in value.items()
        if name in members
    }


def fixed(wanted: Request, current: Mapping[str, Any]) -> list[str]:
    """The properties that differ and that no update can change, by their paths."""
    return [*_fixed(_shape("CreatePipe"), _shape("UpdatePipe"), wanted, current, "")]


def _fixed(created: Any, updated: Any, wanted: Any, current: Any, path: str) -> Iterator[str]:
    for name, shape in created.members.items():
        if name not in updated.members and name != "Tags":
            if wanted.get(name) != current.get(name):
                yield path + name
        elif shape.type_name == "structure" and name in wanted and name in current:
            below = updated.members[name], wanted[name], current[name]
            yield from _fixed(shape, *below, f"{path}{name}.")


def update_request(wanted: Request, current: Mapping[str, Any]) -> Request | None:
    """UpdatePipe's parameters that make a pipe as DescribePipe shows it the wanted one.

    None if it is that already. What the template leaves out is emptied, but for the state.
    """
    shape = _shape("UpdatePipe")
    defaults = _DEFAULTS | {"BatchSize": _batch_size(wanted)}
    same = all(
        _plain(wanted.get(name), defaults) == _plain(current.get(name), defaults)
        for name in shape.members
        if name != "DesiredState" or name in wanted
    )
    if same and not current["CurrentState"].endswith("_FAILED"):
        return None
    request = _update(shape, wanted, current, defaults)
    if "DesiredState" not in wanted:
        request.pop("DesiredState")
    if wanted["Target"].split(":")[2:3] != current["Target"].split(":")[2:3]:
        # The parameters of the target before go with it.
        settings = request["TargetParameters"]
        kept = {"InputTemplate", *wanted.get("TargetParameters", {})}
        request["TargetParameters"] = {k: v for k, v in settings.items() if k in kept}
    return request


def _update(shape: Any, wanted: Any, current: Any, defaults: Mapping[str, Any]) -> Request:
    request: Request = {}
    for name, member in shape.members.items():
        value, before = wanted.get(name), current.get(name)
        if name in _SETTINGS:
            request[name] = _update(member, value or {}, before or {}, defaults)
        elif value is not None:
            request[name] = _within(member, value)
        elif _plain(before, defaults):
            request[name] = _EMPTY.get(name, "" if member.type_name == "string" else {})
    return request


_EMPTY: Mapping[str, Any] = {
    "FilterCriteria": {"Filters": []},
    "LogConfiguration": {"Level": "OFF"},
}


def _within(shape: Any, value: Any) -> Any:
    """`value` without the members that only CreatePipe has."""
    if shape.type_name != "structure":
        return value
    return {k: _within(shape.members[k], v) for k, v in value.items() if k in shape.members}


def _plain(value: Any, defaults: Mapping[str, Any]) -> Any:
    """`value` without what is empty and without defaults."""
    if isinstance(value, Mapping):
        members = {k: _plain(v, defaults) for k, v in value.items() if v != defaults.get(k)}
        return {k: v for k, v in members.items() if v is not None} or None
    if isinstance(value, list):
        return [_plain(item, defaults) for item in value] or None
    return None if value == "" else value


def _batch_size(request: Request) -> int | None:
    """The size of batches that the service shows when none was given."""
    try:
        source = source_kind_of(Arn.parse(request["Source"]))
        target = target_kind_of(Arn.parse(request["Target"]))
    except ValueError:
        return None
    return default_batch_size(source, target) if source and target else None
