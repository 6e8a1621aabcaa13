"""The flow as a picture: a box for each node, in the order in which events pass them."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from dashboard.model.flow import Health, Node

ICON_ONLY_FOR_EYES = 'aria-hidden="true"'


class Box:
    """A node: its state by colour, symbol and word, and what it says."""

    def __init__(self, node: Node) -> None:
        self._shown: Node | None = None
        with (
            ui.element("li")
            .classes(f"node node-{node.key} {'' if node.facts else 'node-queue'}")
            .props(f'data-node="{node.key}"') as box
        ):
            self._box = box
            with ui.element("div").classes("node-head"):
                self._icon = ui.icon(node.health.icon).props(ICON_ONLY_FOR_EYES)
                ui.label(node.title).classes("node-title")
                self._word = ui.label().classes("node-word")
            self._facts = ui.element("dl").classes("node-facts")
            self._note = ui.label().classes("node-note")
        self._values: dict[str, ui.label] = {}
        self.show(node)

    def show(self, node: Node) -> Health | None:
        """The new state, if it is another one."""
        before = self._shown
        if node == before:
            return None
        self._shown = node
        self._show_facts(node.facts)
        self._note.set_text(node.note[:160])
        self._note.set_visibility(bool(node.note))
        self._word.set_text(node.word or node.health.word)
        if before is not None and before.health is node.health:
            return None
        self._icon.set_name(node.health.icon)
        old = f"is-{before.health.name.lower()}" if before else ""
        self._box.classes(add=f"is-{node.health.name.lower()}", remove=old)
        self._box.props(f'data-health="{node.health.name.lower()}"')
        return node.health if before else None

    def _show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        if [name for name, _ in facts] != list(self._values):
            self._facts.clear()
            with self._facts:
                self._values = {name: _fact(name) for name, _ in facts}
        for name, value in facts:
            self._values[name].set_text(value)


class Picture:
    """All boxes. Changes of state, not of figures, are told to those who listen."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        with ui.element("ol").classes("flow").props('aria-label="The pipeline, node by node"'):
            self._boxes = {node.key: Box(node) for node in nodes}
        self._told = ui.label().classes("for-ears").props('role="status" aria-live="polite"')

    def show(self, nodes: Sequence[Node]) -> None:
        changes = []
        for node in nodes:
            if (health := self._boxes[node.key].show(node)) is not None and health in WORTH_TELLING:
                changes.append(f"{node.title}: {node.word or health.word}")
        if changes:
            self._told.set_text(". ".join(changes))


WORTH_TELLING = frozenset(Health) - {Health.IDLE}


def _fact(name: str) -> ui.label:
    with ui.element("div").classes("fact"):
        with ui.element("dt"):
            ui.label(name)
        with ui.element("dd"):
            return ui.label()
