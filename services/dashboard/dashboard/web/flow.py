"""The flow: a box for each node, in the order in which events pass them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from dashboard.model.flow import Health, Node, nodes
from dashboard.model.pipeline import Pipeline


class Flow:
    """Changes of state, not of figures, are also announced to screen readers."""

    def __init__(self, pipeline: Pipeline) -> None:
        with ui.element("ol").classes("flow").props('aria-label="The pipeline, node by node"'):
            self._boxes = [Box(node) for node in nodes(pipeline, time.time())]
        self._announced = ui.label().classes("for-ears").props('role="status" aria-live="polite"')

    def show(self, pipeline: Pipeline) -> None:
        changes = []
        for box, node in zip(self._boxes, nodes(pipeline, time.time()), strict=True):
            if box.health is not node.health is not Health.IDLE:
                changes.append(f"{node.title}: {_word(node)}")
            box.show(node)
        if changes:
            self._announced.set_text(". ".join(changes))


class Box:
    def __init__(self, node: Node) -> None:
        self._shown_facts: Sequence[tuple[str, str]] = ()
        kind = "" if node.facts else "node-queue"
        self._box = ui.element("li").classes(f"node node-{node.key} {kind}")
        self._box.props(f'data-node="{node.key}"')
        with self._box:
            with ui.element("div").classes("node-head row items-center"):
                self._icon = ui.icon("").props('aria-hidden="true"')
                ui.label(node.title).classes("node-title")
                self._word = ui.label().classes("node-word")
            self._facts = ui.element("dl").classes("node-facts")
            self._note = ui.label().classes("node-note")
        self.show(node)

    def show(self, node: Node) -> None:
        self.health = node.health
        self._box.props(f'data-health="{node.health.name.lower()}"')
        self._icon.set_name(node.health.icon)
        self._word.set_text(_word(node))
        self._note.set_text(node.note[:160])
        if node.facts != self._shown_facts:
            self._shown_facts = node.facts
            self._facts.clear()
            for name, value in node.facts:
                with self._facts, ui.element("div").classes("fact"):
                    TextElement(tag="dt", text=name)
                    TextElement(tag="dd", text=value)


def _word(node: Node) -> str:
    return node.word or node.health.word
