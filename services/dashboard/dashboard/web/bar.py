"""The bar at the top: what this is, whether it is connected, the time, and light or dark."""

from __future__ import annotations

import time

from nicegui import ui

from dashboard.web.times import clock_time

THEMES: dict[bool | None, tuple[str, str]] = {
    None: ("brightness_auto", "Theme: system"),
    False: ("light_mode", "Theme: light"),
    True: ("dark_mode", "Theme: dark"),
}
NEXT = {None: True, True: False, False: None}
TICK_SECONDS = 0.5


class Bar:
    """Its clock ticks whatever else is sent: page.js takes its silence for a lost server."""

    def __init__(self) -> None:
        self._dark = ui.dark_mode(None)
        with ui.element("header").classes("bar"):
            ui.label("Inventory, live").classes("bar-title").props('role="heading" aria-level="1"')
            with ui.element("div").classes("bar-alert").props('role="alert"'):
                ui.element("span").classes("server-lost")
                self._lost = ui.label().classes("stack-lost")
            self._time = ui.label().classes("bar-time")
            self._button = ui.button(on_click=self._turn).props("flat round dense color=white")
        self._show_theme()
        self._tick()
        ui.timer(TICK_SECONDS, self._tick)

    def show(self, silent_since: float | None, why: str) -> None:
        """Say since when the AWS APIs have not answered, if they have not, and why."""
        lost = "" if silent_since is None else f"Disconnected since {_utc(silent_since)}"
        self._lost.set_text(f"{lost}: {why}" if lost and why else lost)

    def _tick(self) -> None:
        self._time.set_text(_utc(time.time()))

    def _turn(self) -> None:
        self._dark.value = NEXT[self._dark.value]
        self._show_theme()

    def _show_theme(self) -> None:
        icon, text = THEMES[self._dark.value]
        self._button.props(f'icon={icon} aria-label="{text}" title="{text}"')


def _utc(seconds: float) -> str:
    return f"{clock_time(seconds)} UTC"
