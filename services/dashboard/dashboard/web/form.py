"""The form for an event that is sent by hand, checked as the function will check it."""

from __future__ import annotations

from nicegui import ui

from dashboard.controls.events import TYPES, Sending, problem
from dashboard.web.elements import dialog
from dashboard.web.session import PageSession
from inventory_aws.shown import shown

LABELS = {
    "product_id": "Product id",
    "product_name": "Product name",
    "quantity": "Quantity (new level)",
    "quantity_change": "Quantity change (+ or -)",
    "timestamp": "Timestamp (optional)",
}


class EventForm:
    def __init__(self, sending: Sending, session: PageSession) -> None:
        self._sending = sending
        self._session = session
        with dialog("Send event", "dialog narrow") as (self._dialog, _):
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
            self._problem = ui.label().props('role="status" aria-live="polite"')
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
        values = self._values()
        wrong = problem(kind, values)
        is_empty = not any(values.values())
        self._problem.set_text("" if is_empty else wrong or "Valid event")
        self._problem.classes(replace="problem" if wrong and not is_empty else "fate-good")
        self._send.set_enabled(wrong is None)

    async def _submit(self) -> None:
        kind, values = str(self._kind.value), self._values()
        name = shown(values["product_id"].strip())
        sent = await self._session.do(
            lambda: self._sending.send(kind, values),
            done=f"Event sent for product {name}",
            mark=kind.replace("_", " ").capitalize(),
        )
        if sent is not None:
            for field in self._fields.values():
                field.set_value("")
            self._dialog.close()
