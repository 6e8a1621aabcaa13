"""What the dashboard's server takes with many products and events: `python -m bench.dashboard`.

A stack as `inventory up` runs it, in a folder of its own; a page is open in Chromium meanwhile.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from embedded.interrupts import run_until_stopped
from embedded.ports import free_port
from embedded.processes import Server, answers

STARTUP_SECONDS = 180.0
LOAD_MILLISECONDS = 300_000.0

PRODUCTS = 10_000
SECONDS = 60.0
UP = ("--batch", "--rate", "200", "--products", str(PRODUCTS), "--mix", "added=6,changed=4")
"""Options of `inventory up`."""

NOTE_FRAMES = """() => {
    window.gaps = [];
    let last = performance.now();
    const frame = (now) => {
        window.gaps.push(now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""
"""Notes the milliseconds between the frames that the browser draws."""


def main() -> None:
    with tempfile.TemporaryDirectory() as root, _live_page(Path(root)) as url:
        _fill(Path(root))
        with _open_page(url) as page:
            _report(page)


@contextmanager
def _live_page(root: Path) -> Iterator[str]:
    """The dashboard of a new stack in `root`."""
    port = free_port()
    argv = [sys.executable, "-m", "inventory_cli", "--state", str(root / "state"), "up", *UP]
    environ = {**os.environ, "DASHBOARD_PORT": str(port)}
    server = Server.start("inventory up", argv, environ, root / "up.log")
    url = f"http://127.0.0.1:{port}"
    try:
        server.wait_until(lambda: answers(f"{url}/health"), STARTUP_SECONDS)
        yield url
    finally:
        server.stop(grace=60)


def _fill(root: Path) -> None:
    """Add a row for each product."""
    file = root / "all.jsonl"
    with file.open("w") as lines:
        for n in range(1, PRODUCTS + 1):
            product = {"product_id": f"P{n}", "product_name": "Lamp", "quantity": n % 50}
            print(json.dumps({"event_type": "product_added", "product": product}), file=lines)
    argv = [sys.executable, "-m", "inventory_cli", "--state", str(root / "state"), "produce"]
    argv += ["--batch", "--from-file", str(file)]
    produce = Server.start("inventory produce", argv, os.environ, root / "fill.log")
    produce.wait_until(lambda: produce.finished, STARTUP_SECONDS, time.sleep)


@contextmanager
def _open_page(url: str) -> Iterator[Page]:
    """A page that has all the rows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 1400})
        page.goto(url)
        page.get_by_text(f"{PRODUCTS:,} products").wait_for(timeout=LOAD_MILLISECONDS)
        yield page
        browser.close()


def _report(page: Page) -> None:
    """Print what the server takes, and how smoothly the page is drawn meanwhile."""
    page.evaluate(NOTE_FRAMES)
    children = psutil.Process().children(recursive=True)
    server = next(child for child in children if child.cmdline()[-2:] == ["-m", "dashboard"])
    cpu = server.cpu_percent(SECONDS)
    print(f"Server: {cpu:.1f} % of a core, {server.memory_info().rss / 2**20:.0f} MiB")
    gaps = sorted(page.evaluate("window.gaps"))
    print(
        f"Page: {len(gaps) / SECONDS:.0f} frames a second; "
        f"99 % of them within {gaps[len(gaps) * 99 // 100]:.0f} ms"
    )


if __name__ == "__main__":
    run_until_stopped(main)
