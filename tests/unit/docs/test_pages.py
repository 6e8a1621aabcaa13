from __future__ import annotations

import re
from pathlib import Path

import pytest

from pages import PAGES, PIPES_README, ROOT, TASK_PAGES, anchors, prose

WIDTH = 100
LINK = re.compile(r"\]\(([^)\s]+)\)")

named = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def test_the_readme_has_at_most_120_lines() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120


def test_the_page_about_deploying_has_at_most_200_lines() -> None:
    page = ROOT / "docs" / "deploy.md"
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 200


def test_the_pages_in_docs_have_at_most_9000_words_in_all() -> None:
    assert sum(len(p.read_text(encoding="utf-8").split()) for p in TASK_PAGES) <= 9_000


def test_the_readme_of_the_pipes_has_at_most_2000_words() -> None:
    assert len(PIPES_README.read_text(encoding="utf-8").split()) <= 2_000


@pytest.mark.parametrize(
    "page", [p for p in TASK_PAGES if p.name != "README.md"], ids=lambda page: page.name
)
def test_each_page_begins_with_what_the_reader_can_do_after_it(page: Path) -> None:
    assert page.read_text(encoding="utf-8").splitlines()[2].startswith("After this page you ")


@named
def test_lines_are_short(page: Path) -> None:
    """But for addresses, and the table of FIDELITY.md, whose cells name many tests."""
    lines = prose(page.read_text(encoding="utf-8")).splitlines()
    assert [
        line
        for line in lines
        if len(line) > WIDTH
        and "](http" not in line
        and not (page.name == "FIDELITY.md" and line.startswith("|"))
    ] == []


@named
def test_each_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if link.startswith("http"):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@named
def test_each_file_that_is_named_exists(page: Path) -> None:
    folders = "|".join(
        path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."
    )
    named = re.findall(rf"`((?:{folders})/[\w./-]*)`", prose(page.read_text(encoding="utf-8")))
    near = (ROOT, page.parent)
    assert [path for path in named if not any((at / path).exists() for at in near)] == []
