"""Draws architecture.toml as an SVG that reads in light and in dark."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

SOURCE = Path(__file__).with_name("architecture.toml")

WIDTH, HEIGHT = 168, 78  # of a node
COLUMN, ROW = 242, 138  # from node to node
MARGIN = 32

STYLE = """
text {
  font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif;
  text-anchor: middle; fill: #1f2328
}
.page { fill: #ffffff; stroke: #d0d7de }
.name { font-size: 16px; font-weight: 600 }
.small { font-size: 13px }
.label { font-size: 12px }
.beside { text-anchor: start }
rect.ours { fill: #ddf4ff; stroke: #0969da }
rect.aws { fill: #f6f8fa; stroke: #57606a }
rect.failed { fill: #fff1e5; stroke: #bc4c00; stroke-dasharray: 5 3 }
path { stroke: #57606a; stroke-width: 1.8; fill: none }
.later { stroke-dasharray: 5 4 }
marker path { fill: #57606a; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .page { fill: #0d1117; stroke: #3d444d }
  rect.ours { fill: #0c2d50; stroke: #58a6ff }
  rect.aws { fill: #212830; stroke: #9198a1 }
  rect.failed { fill: #3d2108; stroke: #f0883e }
  path { stroke: #9198a1 }
  marker path { fill: #9198a1 }
}
"""

ARROW = (
    '<marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L10 5L0 10z"/></marker>'
)


def draw(source: str) -> str:
    """The SVG of a picture that is described in TOML."""
    picture = tomllib.loads(source)
    nodes: dict[str, Any] = picture["nodes"]
    columns, rows = (max(node["at"][axis] for node in nodes.values()) for axis in (0, 1))
    width = 2 * MARGIN + columns * COLUMN + WIDTH
    height = 2 * MARGIN + rows * ROW + HEIGHT
    title = escape(picture["title"])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{title}">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            f"<defs>{ARROW}</defs>",
            f'<rect class="page" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="12"/>',
            *(_edge(nodes, edge) for edge in picture["edges"]),
            *(_node(node) for node in nodes.values()),
            "</svg>\n",
        ]
    )


def _corner(node: dict[str, Any]) -> tuple[int, int]:
    column, row = node["at"]
    return MARGIN + column * COLUMN, MARGIN + row * ROW


def _node(node: dict[str, Any]) -> str:
    x, y = _corner(node)
    name, *small = node["lines"]
    top = y + HEIGHT // 2 + 6 - 9 * len(small)
    texts = [_text("name", x + WIDTH // 2, top, name)]
    texts += [_text("small", x + WIDTH // 2, top + 18 * n, t) for n, t in enumerate(small, 1)]
    box = f'<rect class="{node["kind"]}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
    return "\n".join([box, *texts])


def _edge(nodes: dict[str, Any], edge: dict[str, Any]) -> str:
    """An arrow to the right, downwards, or first down and then right; its label beside it."""
    (x, y), (to_x, to_y) = _corner(nodes[edge["from"]]), _corner(nodes[edge["to"]])
    if y == to_y:
        middle = y + HEIGHT // 2
        line = f"M{x + WIDTH} {middle}H{to_x - 2}"
        label = _text("label", (x + WIDTH + to_x) // 2, middle - 8, edge["label"])
    else:
        middle = x + WIDTH // 2
        line = f"M{middle} {y + HEIGHT}V{to_y - 2}"
        if x != to_x:
            line = f"M{middle} {y + HEIGHT}V{to_y + HEIGHT // 2}H{to_x - 2}"
        label = _text("label beside", middle + 8, (y + HEIGHT + to_y) // 2 + 4, edge["label"])
    kind = ' class="later"' if edge.get("later") else ""
    return f'<path{kind} d="{line}" marker-end="url(#arrow)"/>\n{label}'


def _text(kind: str, x: int, y: int, text: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'
