"""Reads a template: JSON, or YAML with CloudFormation's short forms, such as `!Ref Queue`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

PIPE = "AWS::Pipes::Pipe"

Template = dict[str, Any]
"""Lists, dicts and texts. Numbers and booleans are texts too, as template parameters are; the
types come from the API's model. None stands for a null."""


class NotBegunError(Exception):
    """Nothing was changed; the arguments are lines that say why and what to do."""


class _Loader(yaml.BaseLoader):
    """Every scalar is a text: `2010-09-09` is no date, `012345678901` is no octal number."""


def _short_form(loader: _Loader, name: str, node: Any) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": argument}


_Loader.add_multi_constructor("!", _short_form)


def read(path: Path) -> Template:
    """Raises NotBegunError."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "is not UTF-8"
    except (yaml.YAMLError, ValueError) as error:
        reason = f"is not a CloudFormation template: {' '.join(str(error).split())}"
    raise NotBegunError(f"{path}: {reason}")


def parse(text: str) -> Template:
    """Raises YAMLError or ValueError."""
    if text.lstrip().startswith("{"):
        template = _as_texts(json.loads(text, parse_int=str, parse_float=str))
    else:
        template = yaml.load(text, _Loader)  # noqa: S506
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise ValueError("it has no Resources")
    return template


def _as_texts(value: Any) -> Any:
    match value:
        case dict():
            return {name: _as_texts(member) for name, member in value.items()}
        case list():
            return [_as_texts(item) for item in value]
        case bool():
            return str(value).lower()
    return value
