"""`inventory produce`: the producer's own command, led to the target."""

from __future__ import annotations

import copy
from typing import Any

import click

import producer.cli
from inventory_cli.target import enter_target


def _produce(**options: Any) -> Any:
    enter_target(click.get_current_context().obj)
    callback = producer.cli.produce.callback
    assert callback is not None  # noqa: S101 - a command that is made of a function has one
    return callback(**options)


produce = copy.copy(producer.cli.produce)
produce.callback = _produce
