"""Parts that the cards and dialogs of the page have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui


def heading(text: str) -> ui.label:
    return ui.label(text).classes("card-title").props('role="heading" aria-level="2"')


@contextmanager
def dialog(name: str, classes: str = "dialog") -> Iterator[tuple[ui.dialog, ui.label]]:
    """A dialog and its heading, with a button that closes it."""
    with ui.dialog().props(f'aria-label="{name}"') as found, ui.card().classes(classes):
        with ui.element("div").classes("card-head"):
            title = heading(name)
            ui.button(icon="close", on_click=found.close).props(
                'flat round dense aria-label="Close"'
            )
        yield found, title
