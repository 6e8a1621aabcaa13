"""The bar at the top: what this is, and light or dark."""

from __future__ import annotations

from nicegui import ui

from dashboard.web.moments import clock_time

THEMES: dict[bool | None, tuple[str, str]] = {
    None: ("brightness_auto", "Colours: as the system has them"),
    False: ("light_mode", "Colours: light"),
    True: ("dark_mode", "Colours: dark"),
}
NEXT = {None: True, True: False, False: None}


class Bar:
    def __init__(self) -> None:
        self._dark = ui.dark_mode(None)
        with ui.element("header").classes("bar"):
            ui.label("Inventory, live").classes("bar-title").props('role="heading" aria-level="1"')
            self._time = ui.label().classes("bar-time")
            self._button = ui.button(on_click=self._turn).props("flat round dense color=white")
        self._show_theme()

    def show(self, now: float) -> None:
        self._time.set_text(clock_time(now))

    def _turn(self) -> None:
        self._dark.value = NEXT[self._dark.value]
        self._show_theme()

    def _show_theme(self) -> None:
        icon, told = THEMES[self._dark.value]
        self._button.props(f'icon={icon} aria-label="{told}" title="{told}"')
