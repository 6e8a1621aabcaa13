"""Warnings about templates: what is delivered here, and on AWS perhaps not, or not so.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class WarningKind(StrEnum):
    """What a warning is about. The first two are known without an event."""

    ESCAPED_PLACEHOLDER = "escaped_placeholder"
    UNREADABLE_PATH = "unreadable_path"
    PATH_TO_NOTHING = "path_to_nothing"
    ESCAPED_VALUE = "escaped_value"
    UNQUOTED_JSON = "unquoted_json"


class TemplateWarning(NamedTuple):
    """A warning about a placeholder, which is as it stands in the template."""

    kind: WarningKind
    placeholder: str


_TEXTS = {
    WarningKind.ESCAPED_PLACEHOLDER: (
        r"AWS does not replace a placeholder that is written with \u003c, so it is delivered as"
        " text. Write < and >; in Terraform, use a heredoc instead of jsonencode."
    ),
    WarningKind.UNREADABLE_PATH: (
        "this is not a path that can be read, so it has no value in any event. AWS accepts it too"
        " and may leave it out. Write a path such as <$.a.items[0].id>."
    ),
    WarningKind.PATH_TO_NOTHING: (
        "an event has no such value, so it becomes empty. AWS may leave it out, which can make"
        " the JSON invalid. Correct the path, or exclude such events with a filter."
    ),
    WarningKind.ESCAPED_VALUE: (
        "a value has quotes, backslashes or control characters, which are escaped here. AWS may"
        " insert it as it is and fail to deliver invalid JSON. Insert the object that has it,"
        " without quotes around the placeholder."
    ),
    WarningKind.UNQUOTED_JSON: (
        "the value is an object or an array and all of the template, so its quotes are removed. AWS"
        ' may fail to deliver that to a target that needs JSON. Wrap it, as in {"a": <$.a>}.'
    ),
}


def warning_lines(
    warnings: Iterable[TemplateWarning], stage: str, needs_json: bool
) -> dict[WarningKind, str]:
    """Return a line for each kind: where, what happens here, what AWS may do, what to write.

    `needs_json` says whether the service that gets the text takes nothing but JSON.
    """
    placeholders: dict[WarningKind, list[str]] = {}
    for kind, placeholder in sorted(warnings):
        if needs_json or kind is not WarningKind.UNQUOTED_JSON:
            placeholders.setdefault(kind, []).append(placeholder)
    return {
        kind: f"InputTemplate of the {stage}, {', '.join(names)}: {_TEXTS[kind]}"
        for kind, names in placeholders.items()
    }
