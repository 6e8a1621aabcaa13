"""Commands that report everything wrong with their options and variables in one message."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import click
from click.core import ParameterSource, iter_params_for_processing

UNREAD_EXIT_CODE = 128 + signal.SIGPIPE

CLOSE = 0.7
"""How alike a misspelt name and the one that is meant are at least: from 0 to 1."""


class RefusedError(click.ClickException):
    """Nothing was begun (exit 2). A message of several lines has one problem on each."""

    exit_code = 2

    def format_message(self) -> str:
        return self.message.replace("\n", "\n       ")  # below the first, after "Error: "


class WholeNumber(click.IntRange):
    name = "number"

    def _describe_range(self) -> str:  # click shows it in the help
        return _bounds(self.min, self.max, self.min_open).removeprefix("of ")


class Number(click.FloatRange):
    """A range that refuses `inf` and `nan`."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number

    def _describe_range(self) -> str:
        return _bounds(self.min, self.max, self.min_open).removeprefix("of ")


class Command(click.Command):
    """A command that names all its wrong options and variables together, in plain words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError:
            raise RefusedError("\n".join(_problems(self, ctx, given))) from None
        for name, meant in _misspelt(self, ctx):
            click.echo(f"Warning: {name} is not a setting. Did you mean {meant}?", err=True)
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # nothing reads the output any more, as with `| head`
            discard_output()
            ctx.exit(UNREAD_EXIT_CODE)


def discard_output() -> None:
    """Discard all later output, also what Python flushes at its end, so that it cannot fail again
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _problems(command: click.Command, ctx: click.Context, args: list[str]) -> list[str]:
    problems: list[str] = []
    parser = command.make_parser(ctx)
    while True:
        try:
            options, rest, order = parser.parse_args(list(args))
            break
        except click.NoSuchOption as error:
            problems.append(_unknown(error, ctx))
            left = [each for each in args if each.partition("=")[0] != error.option_name]
            if left == args:
                return problems
            args = left
        except click.UsageError as error:  # a value is missing: what follows is ambiguous
            return [*problems, error.format_message()]
    if problems:
        rest = []  # may be the value of an unknown option
    for param in iter_params_for_processing(order, command.get_params(ctx)):
        try:
            _, rest = param.handle_parse_result(ctx, options, rest)
        except click.BadParameter as error:
            problems.append(_described(error, param, ctx, options.get(param.name or "")))
    if rest and not ctx.allow_extra_args:
        problems.append(f"{' '.join(map(repr, rest))}: no such argument. {_hint(())}")
    return problems


def _unknown(error: click.NoSuchOption, ctx: click.Context) -> str:
    name = error.option_name
    for param in ctx.find_root().command.params:
        if name in param.opts:
            also = f" The variable {param.envvar} does the same." if param.envvar else ""
            return f"{name} goes before the command.{also}"
    return f"{name} is not an option. " + _hint(
        get_close_matches(name, error.possibilities or (), 1, CLOSE)
    )


def _hint(meant: Sequence[str]) -> str:
    return f"Did you mean {meant[0]}?" if meant else "--help lists the options."


def _described(
    error: click.BadParameter, param: click.Parameter, ctx: click.Context, given: Any
) -> str:
    is_option = isinstance(param, click.Option)
    name = max(param.opts, key=len) if is_option else param.make_metavar(ctx).strip("[].")
    if isinstance(error, click.MissingParameter):
        return f"{name} is missing"
    if ctx.get_parameter_source(param.name or "") is ParameterSource.ENVIRONMENT:
        name = next(filter(os.environ.get, _variables(param, ctx)))
        given = os.environ[name]
    if wanted := _wanted(param.type, str(given)):
        return f"{name} must be {wanted} (it is {given!r})"
    if error.message.startswith("must be "):
        return f"{name} {error.message} (it is {given!r})"
    return f"{name}: {error.message}"


def _wanted(kind: click.ParamType[Any], given: str) -> str | None:
    """Return what a value of this type is, in words; None where the type's own message says it."""
    match kind:
        case click.Choice(choices=choices):
            return f"one of {', '.join(choices)}"
        case click.types.BoolParamType():
            return "1 or 0"
        case click.FloatRange(min=low, max=high, min_open=True):
            over = high is not None and _number(given) > high
            return f"a number up to {high}" if over else f"a number above {low}, such as 20"
        case click.FloatRange():
            return f"a number {_bounds(kind.min, kind.max)}"
        case click.IntRange():
            return f"a whole number {_bounds(kind.min, kind.max)}"
        case click.types.FloatParamType():
            return "a number"
        case click.types.IntParamType():
            return "a whole number"
    return None


def _bounds(low: float | None, high: float | None, low_excluded: bool = False) -> str:
    if low_excluded:
        return f"above {low}" if high is None else f"above {low}, up to {high}"
    return f"of at least {low}" if high is None else f"from {low} to {high}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _variables(param: click.Parameter, ctx: click.Context) -> list[str]:
    """Return the environment variables that set an option, the strongest first."""
    own = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
    prefix = ctx.auto_envvar_prefix
    return [*own, *([f"{prefix}_{(param.name or '').upper()}"] if prefix else [])]


def _misspelt(command: click.Command, ctx: click.Context) -> list[tuple[str, str]]:
    """Return variables with the command's prefix that set nothing, and what they resemble."""
    prefix = f"{ctx.auto_envvar_prefix}_" if ctx.auto_envvar_prefix else None
    if prefix is None:
        return []
    given = {name.removeprefix(prefix) for name in os.environ if name.startswith(prefix)}
    known = {(param.name or "").upper() for param in command.params}
    close = ((name, get_close_matches(name, known, 1, CLOSE)) for name in sorted(given - known))
    return [(prefix + name, prefix + meant[0]) for name, meant in close if meant]
