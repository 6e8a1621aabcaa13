"""The form for an event that is sent by hand, checked as the function will check it."""

from __future__ import annotations

from nicegui import ui

from dashboard.controls.events import TYPES, Sending, problem
from dashboard.web.doing import do, say
from dashboard.web.session import PageSession

LABELS = {
    "product_id": "Product id",
    "product_name": "Product name",
    "quantity": "Quantity (the level)",
    "quantity_change": "Change (signed)",
    "timestamp": "Timestamp (optional)",
}


class EventForm:
    def __init__(self, sending: Sending, session: PageSession) -> None:
        self._sending = sending
        self._session = session
        with (
            ui.dialog().props('aria-label="Send an event"') as self._dialog,
            ui.card().classes("dialog narrow"),
        ):
            with ui.element("div").classes("card-head"):
                ui.label("Send an event").classes("card-title").props(
                    'role="heading" aria-level="2"'
                )
                ui.button(icon="close", on_click=self._dialog.close).props(
                    'flat round dense aria-label="Close"'
                )
            self._kind = (
                ui.select(
                    {kind: kind.replace("_", " ") for kind in TYPES},
                    value="product_added",
                    label="Event type",
                    on_change=self._check,
                )
                .props("outlined")
                .classes("wide")
            )
            self._fields = {
                name: ui.input(label, on_change=self._check).props("outlined dense").classes("wide")
                for name, label in LABELS.items()
            }
            self._problem = ui.label().classes("problem").props('role="status" aria-live="polite"')
            self._send = ui.button("Send", icon="send", on_click=self._submit).props(
                "no-caps unelevated"
            )
        self._check()

    def open(self) -> None:
        self._dialog.open()

    def _values(self) -> dict[str, str]:
        return {name: str(field.value or "") for name, field in self._fields.items()}

    def _check(self) -> None:
        kind = str(self._kind.value)
        for name, field in self._fields.items():
            field.set_visibility(name == "product_id" or name in TYPES[kind])
        wrong = problem(kind, self._values())
        self._problem.set_text(wrong or "A valid event.")
        self._send.set_enabled(wrong is None)

    async def _submit(self) -> None:
        sent = await do(self._session, self._sending.send, str(self._kind.value), self._values())
        if sent is not None:
            say(f"Sent: {sent}")
            for field in self._fields.values():
                field.set_value("")
            self._dialog.close()
