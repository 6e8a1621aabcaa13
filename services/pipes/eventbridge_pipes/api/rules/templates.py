"""Rules about input templates, and about paths in the place of a parameter's value."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.protocol import field_name
from eventbridge_pipes.api.rules.wording import Members
from eventbridge_pipes.path import Path, PathError
from eventbridge_pipes.template import Template, TemplateError


def template_violations(where: str, parameters: Members) -> Iterator[Violation]:
    """`parameters` of a target or an enrichment; an empty template is none."""
    text = parameters.get("InputTemplate")
    if not text:
        return
    try:
        Template.parse(text)
    except TemplateError as error:
        yield Violation(f"{where}.inputTemplate", f"The InputTemplate is not valid: {error}")


def path_violations(where: str, parameters: Members) -> Iterator[Violation]:
    """A text that is a path as a whole is replaced by what it finds in each event.

    What begins like one but is none would be taken as it stands: hardly what was meant, so it is
    refused.
    """
    for name, value in parameters.items():
        field = field_name(where, name)
        if isinstance(value, list):
            for number, item in enumerate(value, start=1):
                yield from _path(f"{field}.{number}.member", item)
        else:
            yield from _path(field, value)


def is_meant_as_path(text: str) -> bool:
    return text.startswith("$.")


def _path(where: str, text: str) -> Iterator[Violation]:
    if is_meant_as_path(text):
        try:
            Path.parse(text)
        except PathError as error:
            yield Violation(where, f"The path {text} is not valid: {error}")
