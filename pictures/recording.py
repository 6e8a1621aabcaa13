"""An animated SVG of what a command printed, and when."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from inventory_cli.invocation import CALLED_BY

LINE, MARGIN = 18, 16
WIDTH = 800
STAYS_SECONDS = 6.0  # with everything on it, before it begins again

STYLE = """
.page { fill: #0d1117; stroke: #3d444d }
text {
  font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  fill: #f0f6fc; white-space: pre
}
@media (prefers-reduced-motion: reduce) { text { animation: none !important } }
"""


def record(argv: Sequence[str]) -> list[tuple[float, str]]:
    """Each line that the command prints, with the seconds since its start.

    Raises:
        CalledProcessError: it did not end well.
    """
    began = time.monotonic()
    lines = []
    with subprocess.Popen(  # noqa: S603 - our own program, no shell
        argv,
        env={**os.environ, CALLED_BY: "make"},  # its hints are what a reader of the README types
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as it:
        try:
            for line in it.stdout or ():
                lines.append((time.monotonic() - began, line.rstrip("\n")))
        except BaseException:
            it.terminate()
            raise
    if it.returncode:
        raise subprocess.CalledProcessError(it.returncode, argv)
    return lines


def animate(command: str, lines: Iterable[tuple[float, str]]) -> str:
    """The SVG in which each line appears when it was printed, again and again."""
    printed = [(0.0, f"$ {command}"), *lines]
    lasts = printed[-1][0] + STAYS_SECONDS
    height = 2 * MARGIN + LINE * len(printed)
    shown, texts = [], []
    for n, (at, line) in enumerate(printed):
        if n:
            hidden = f"{at / lasts:.2%}"
            shown.append(f"@keyframes l{n}{{0%,{hidden}{{opacity:0}}{hidden},100%{{opacity:1}}}}")
        style = f' style="animation:l{n} {lasts:.1f}s step-end infinite"' if n else ""
        texts.append(
            f'<text x="{MARGIN}" y="{MARGIN + LINE * n + 13}"{style}>{escape(line)}</text>'
        )
    title = f"What {escape(command)} prints"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="{title}">',
            f"<title>{title}</title>",
            f"<style>{STYLE}{''.join(shown)}</style>",
            f'<rect class="page" x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="8"/>',
            *texts,
            "</svg>\n",
        ]
    )
