"""Resolves the functions of a template: from the template and what is known of its stack.

What the stack has to tell comes back as questions. Whoever resolves asks them, and resolves again
with the answers; then each condition has one side, and only its questions are asked.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from eventbridge_pipes.apply.template import PIPE, Template


class Question(NamedTuple):
    """`subject` is Ref, Attribute, Export or Parameter (one of Systems Manager)."""

    subject: str
    name: str
    attribute: str = ""


class Unknown(NamedTuple):
    """The answer to a question that has none."""

    why: str


Answers = Mapping[Question, str | Unknown]


class Resolution(NamedTuple):
    """`pipes` has the properties of each, by logical id; what could not be resolved is None.

    `problems` are lines that begin with the path in the template.
    """

    pipes: Mapping[str, Any]
    problems: list[str]
    questions: list[Question]


def resolve(template: Template, parameters: Mapping[str, str], answers: Answers) -> Resolution:
    """The pipes of the template whose conditions hold.

    `parameters` are the pseudo parameters, and those with a value other than the default. Those
    that name a parameter of Systems Manager have its value.
    """
    resolver = _Resolver(template, parameters, answers)
    pipes = {}
    for name, resource in template["Resources"].items():
        path = ("Resources", name)
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            resolver.problem(path, "this is no resource with a Type; loops and macros are not read")
        elif resource["Type"] == PIPE and resolver.exists(resource, path):
            pipes[name] = resolver.properties(resource.get("Properties", {}), (*path, "Properties"))
    return Resolution(pipes, resolver.problems, [*resolver.questions])


Path = tuple[object, ...]
_NO_VALUE = object()
_REFERENCE = re.compile(r"\{\{resolve:(.*?)\}\}")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class _Resolver:
    def __init__(self, template: Template, parameters: Mapping[str, str], answers: Answers) -> None:
        self._sections = {
            name: section if isinstance(section := template.get(name), dict) else {}
            for name in ("Parameters", "Mappings", "Conditions")
        }
        self._parameters = parameters
        self._answers = answers
        self.problems: list[str] = []
        self.questions: dict[Question, None] = {}

    def problem(self, path: Path, text: str) -> Any:
        """Note it. Returns None, which stands for what cannot be resolved."""
        line = f"{'.'.join(map(str, path))}: {text}"
        if line not in self.problems:
            self.problems.append(line)
        return None

    def exists(self, resource: Mapping[str, Any], path: Path) -> bool:
        if "Condition" not in resource:
            return True
        return bool(self._condition(resource["Condition"], (*path, "Condition"), ()))

    def properties(self, node: Any, path: Path) -> Any:
        return self._references(self._value(node, path), path)

    def _references(self, value: Any, path: Path) -> Any:
        """`value` with the dynamic references in its texts replaced."""
        match value:
            case dict():
                return {k: self._references(v, (*path, k)) for k, v in value.items()}
            case list():
                return [self._references(v, (*path, i)) for i, v in enumerate(value)]
            case str():
                for found in _REFERENCE.finditer(value):
                    service, _, name = found[1].partition(":")
                    if service != "ssm":
                        self.problem(path, f"{found[0]} is not read: only those of ssm are")
                    elif (text := self._ask(Question("Parameter", name), path)) is not None:
                        value = value.replace(found[0], text)
        return value

    def _value(self, node: Any, path: Path) -> Any:
        match node:
            case dict() if len(node) == 1 and _is_function(name := next(iter(node))):
                return self._call(name, node[name], (*path, name))
            case dict():
                members = {k: self._value(v, (*path, k)) for k, v in node.items()}
                return {k: v for k, v in members.items() if v is not _NO_VALUE}
            case list():
                items = [self._value(v, (*path, i)) for i, v in enumerate(node)]
                return [v for v in items if v is not _NO_VALUE]
            case None:
                return self.problem(path, "null is no value")
        return node

    def _call(self, name: str, argument: Any, path: Path) -> Any:
        """A text, a list, a structure; None when it cannot be resolved, which is noted."""
        match name, argument:
            case "Ref", str():
                return self._ref(argument, path)
            case "Fn::If", [condition, then, otherwise]:
                holds = self._condition(condition, path, ())
                if holds is None:
                    return None
                return self._value(then if holds else otherwise, (*path, 1 if holds else 2))
            case "Fn::Sub", str():
                return self._sub(argument, {}, path)
            case "Fn::Sub", [str(text), dict() as given]:
                variables = {k: self._value(v, (*path, 1, k)) for k, v in given.items()}
                return self._sub(text, variables, path)
        arguments = self._value(argument, path)
        if _unresolved(arguments):
            return None
        return self._looked_up(name, arguments, path)

    def _looked_up(self, name: str, arguments: Any, path: Path) -> Any:
        match name, arguments:
            case "Fn::GetAtt", str() if "." in arguments:
                return self._attribute(arguments, path)
            case "Fn::GetAtt", [str(resource), str(attribute)]:
                return self._attribute(f"{resource}.{attribute}", path)
            case "Fn::FindInMap", [str(mapping), str(top), str(second)]:
                try:
                    found = self._sections["Mappings"][mapping][top][second]
                except (KeyError, TypeError):
                    return self.problem(path, f"the mapping {mapping} has no {top}.{second}")
                return self._value(found, path)
            case "Fn::ImportValue", str(export):
                return self._ask(Question("Export", export), path)
        combined = _combined(name, arguments)
        if combined is None:
            return self.problem(path, "this function, or this form of it, is not supported")
        return combined

    def _ref(self, name: str, path: Path) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        declared = self._sections["Parameters"].get(name)
        if isinstance(declared, dict):
            return self._parameter(name, declared, path)
        if not name.startswith("AWS::"):
            return self._ask(Question("Ref", name), path)
        if name not in self._parameters:
            return self.problem(path, f"use --stack, or --parameter {name}=VALUE")
        return self._parameters[name]

    def _parameter(self, name: str, declared: Mapping[str, Any], path: Path) -> Any:
        text, kind = self._parameters.get(name), str(declared.get("Type"))
        if text is None and not kind.startswith("AWS::SSM::Parameter::Value<"):
            text = declared.get("Default")
        if not isinstance(text, str):
            return self.problem(path, f"use --parameter {name}=VALUE, or --stack")
        if "List<" in kind or "CommaDelimitedList" in kind:
            return [item.strip() for item in text.split(",")]
        return text

    def _attribute(self, name: str, path: Path) -> Any:
        return self._ask(Question("Attribute", *name.split(".", 1)), path)

    def _sub(self, text: str, variables: Mapping[str, Any], path: Path) -> Any:
        values: list[Any] = []

        def replaced(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                value = variables[name]
            elif "." in name:
                value = self._attribute(name, path)
            else:
                value = self._ref(name, path)
            if value is not None and not isinstance(value, str):
                value = self.problem(path, f"${{{name}}} is no text")
            values.append(value)
            return value or ""

        whole = _VARIABLE.sub(replaced, text)
        return None if None in values else whole

    def _condition(self, name: Any, path: Path, within: tuple[str, ...]) -> bool | None:
        conditions = self._sections["Conditions"]
        if not isinstance(name, str) or name not in conditions:
            self.problem(path, f"there is no condition {name}")
            return None
        if name in within:
            self.problem(path, f"the condition {name} depends on itself")
            return None
        return self._holds(conditions[name], ("Conditions", name), (*within, name))

    def _holds(self, node: Any, path: Path, within: tuple[str, ...]) -> bool | None:
        match node:
            case {"Condition": name}:
                return self._condition(name, path, within)
            case {"Fn::Equals": [first, second]}:
                sides = [self._value(side, (*path, "Fn::Equals")) for side in (first, second)]
                return None if _unresolved(sides) else sides[0] == sides[1]
            case {"Fn::Not": [inner]}:
                holds = self._holds(inner, (*path, "Fn::Not"), within)
                return None if holds is None else not holds
            case {"Fn::And": [*inner]}:
                every, name = all, "Fn::And"
            case {"Fn::Or": [*inner]}:
                every, name = any, "Fn::Or"
            case _:
                self.problem(path, "this is no condition")
                return None
        results = [self._holds(item, (*path, name, i), within) for i, item in enumerate(inner)]
        return None if None in results else every(results)

    def _ask(self, question: Question, path: Path) -> str | None:
        answer = self._answers.get(question)
        if answer is None:
            self.questions[question] = None
        elif isinstance(answer, Unknown):
            self.problem(path, answer.why)
            return None
        return answer


def _is_function(name: str) -> bool:
    return name == "Ref" or name.startswith("Fn::")


def _combined(name: str, arguments: Any) -> Any:
    """The value of a function that needs its arguments alone; None when they do not suit it."""
    match name, arguments:
        case "Fn::Join", [str(separator), [*parts]] if all(isinstance(p, str) for p in parts):
            return separator.join(parts)
        case "Fn::Split", [str(separator), str(text)] if separator:
            return text.split(separator)
        case "Fn::Select", [str(index), [*items]] if index.isdecimal() and int(index) < len(items):
            return items[int(index)]
        case "Fn::Base64", str():
            return base64.b64encode(arguments.encode(errors="replace")).decode()
    return None


def _unresolved(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_unresolved, value.values()))
        case list():
            return any(map(_unresolved, value))
    return value is None
