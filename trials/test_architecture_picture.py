from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from pictures import architecture

KEPT = Path(__file__).parents[1] / "docs" / "pictures" / "architecture.svg"


def test_the_picture_in_the_readme_is_what_its_source_draws() -> None:
    drawn = architecture.draw(architecture.SOURCE.read_text(encoding="utf-8"))
    assert KEPT.read_text(encoding="utf-8") == drawn, "run `make pictures`"


def test_each_text_of_the_source_is_in_the_picture_as_text() -> None:
    source = """
title = "A & B"
nodes.a = { at = [0, 0], kind = "ours", lines = ["<A>", "small"] }
nodes.b = { at = [0, 1], kind = "aws", lines = ["B"] }
edges = [{ from = "a", to = "b", label = "a & b" }]
"""
    root = ElementTree.fromstring(architecture.draw(source))  # noqa: S314
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["a & b", "<A>", "small", "B"]


def test_an_edge_to_a_node_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        architecture.draw(
            'title = ""\nnodes.a = { at = [0, 0], kind = "ours", lines = ["A"] }\n'
            'edges = [{ from = "a", to = "nowhere", label = "" }]'
        )
