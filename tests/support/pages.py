"""The Markdown pages that users read, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIPES_README = ROOT / "services" / "pipes" / "README.md"
TASK_PAGES = sorted((ROOT / "docs").glob("*.md"))
PAGES = sorted(
    page
    for pattern in ("*.md", "*/*.md", "*/*/*.md")
    for page in ROOT.glob(pattern)
    if page.relative_to(ROOT).parts[0] == ".ci"
    or not page.relative_to(ROOT).parts[0].startswith(".")
)

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'$")


def commands(page: Path) -> Iterator[str]:
    """The commands of the page's console blocks, in their order."""
    for block in _CONSOLE.findall(page.read_text(encoding="utf-8")):
        lines = iter(block.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ")
            while command.endswith("\\"):
                command += "\n" + next(lines)
            if end := _HERE_DOCUMENT.search(command):
                for line in lines:
                    command += "\n" + line
                    if line == end[1]:
                        break
            yield command


def prose(text: str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The fragments that links to the page can have, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }
