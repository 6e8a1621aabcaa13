"""Doing what a user asks for: the session's check, off the page's thread, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from nicegui import run, ui

from dashboard.controls.asking import ControlError
from dashboard.web.session import ForeignSessionError, PageSession
from inventory.event import InvalidEventError
from producer.errors import SendingError
from producer.shown import shown

P = ParamSpec("P")
R = TypeVar("R")

EXPECTED = (
    ForeignSessionError,
    ControlError,
    InvalidEventError,
    SendingError,
    ClientError,
    BotoCoreError,
)


async def do(
    session: PageSession, action: Callable[P, R], *arguments: P.args, **named: P.kwargs
) -> R | None:
    """What `action` returns; None, and a word to the user, when it could not be done."""
    try:
        session.check()
        return await run.io_bound(action, *arguments, **named)
    except EXPECTED as error:
        say(f"Not done: {error}", bad=True)
        return None


def say(text: str, *, bad: bool = False) -> None:
    """A note that goes by itself; it may hold anything, and is shown as text."""
    ui.notify(
        shown(text)[:400],
        type="negative" if bad else "positive",
        position="bottom",
        timeout=8000 if bad else 4000,
    )
