"""Commands that report the wrong values of options and variables in one message."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import click
from click.core import ParameterSource, iter_params_for_processing

UNREAD_EXIT_CODE = 128 + signal.SIGPIPE


class RefusedError(click.ClickException):
    """The command cannot start (exit 2). Each line of the message is one problem."""

    exit_code = 2

    def format_message(self) -> str:
        return self.message.replace("\n", "\n       ")  # below the first, after "Error: "


class WholeNumber(click.IntRange):
    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number: int = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"must be a whole number {_bounds(self)}".rstrip(), param, ctx)
        return number

    def _describe_range(self) -> str:  # click shows it in the help
        return "" if self.min is self.max is None else super()._describe_range()


class Number(click.FloatRange):
    """A range that refuses `inf` and `nan`."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            number: float = super().convert(value, param, ctx)
        except click.BadParameter:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"must be a number {_bounds(self)}", param, ctx)
        return number


class Command(click.Command):
    """A command that names all wrong values of options and variables in one message."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.BadParameter:
            raise RefusedError("\n".join(_wrong_values(self, ctx, given))) from None
        except click.UsageError as error:
            raise RefusedError(_option_of_group(error, ctx) or error.format_message()) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # nothing reads the output any more, as with `| head`
            discard_output()
            ctx.exit(UNREAD_EXIT_CODE)


def discard_output() -> None:
    """Discard all later output, also what Python flushes at its end, so that it cannot fail again.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _option_of_group(error: click.UsageError, ctx: click.Context) -> str | None:
    """Return the message about an option of the whole program that comes after the command."""
    for param in ctx.find_root().command.params:
        if isinstance(error, click.NoSuchOption) and error.option_name in param.opts:
            also = f" The variable {param.envvar} does the same." if param.envvar else ""
            return f"{error.option_name} goes before the command.{also}"
    return None


def _wrong_values(command: click.Command, ctx: click.Context, args: list[str]) -> Iterator[str]:
    options, rest, order = command.make_parser(ctx).parse_args(args)
    for param in iter_params_for_processing(order, command.get_params(ctx)):
        try:
            _, rest = param.handle_parse_result(ctx, options, rest)
        except click.MissingParameter as error:
            yield error.format_message()
        except click.BadParameter as error:
            is_option = isinstance(param, click.Option)
            name = max(param.opts, key=len) if is_option else param.human_readable_name.strip("[].")
            given = options.get(param.name or "")
            if ctx.get_parameter_source(param.name or "") is ParameterSource.ENVIRONMENT:
                name = str(param.envvar or f"{ctx.auto_envvar_prefix}_{param.name}".upper())
                given = os.environ[name]
            message = error.message
            if isinstance(param.type, click.Choice):
                message = f"must be one of {', '.join(param.type.choices)}"
            elif isinstance(param.type, click.types.BoolParamType):
                message = "must be 1 or 0"
            plain = message.startswith("must be ")
            yield f"{name} {message} (it is {given!r})" if plain else f"{name}: {message}"


def _bounds(numbers: click.IntRange | click.FloatRange) -> str:
    low, high = numbers.min, numbers.max
    if numbers.min_open:
        return f"above {low}, such as 20" + (f", up to {high}" if high is not None else "")
    if high is not None:
        return f"from {low} to {high}"
    return "" if low is None else f"of at least {low}"
