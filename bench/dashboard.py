"""What the dashboard's server takes with many products and events: `python -m bench.dashboard`.

A stack as `inventory up` runs it, in a folder of its own; pages are open in Chromium meanwhile.
"""

from __future__ import annotations

import argparse
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

from bench.live_page import STARTUP_SECONDS, live_page
from bench.stopping import run_until_stopped
from embedded.processes import Server

EVERYTHING_SECONDS = 300_000.0

WATCH = """() => {
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
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=200, help="events per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pages", type=int, default=1, help="how many browsers look at it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        up = ("--batch", "--rate", str(options.rate), "--products", str(options.products))
        with live_page(Path(root), *up, "--mix", "added=6,changed=4") as url:
            _fill(Path(root), options.products)
            with _looking(url, options.pages, options.products) as page:
                page.evaluate(WATCH)
                _report(_dashboard(), options.seconds)
                _report_page(page, options.seconds)


def _fill(root: Path, products: int) -> None:
    """A row for each product."""
    lines = (
        {"product_id": f"P{n}", "product_name": "Lamp", "quantity": n % 50}
        for n in range(1, products + 1)
    )
    file = root / "all.jsonl"
    file.write_text(
        "".join(f"{json.dumps({'event_type': 'product_added', 'product': p})}\n" for p in lines)
    )
    argv = [sys.executable, "-m", "inventory_cli", "--state", str(root / "state"), "produce"]
    argv += ["--batch", "--from-file", str(file)]
    produce = Server.start("inventory produce", argv, os.environ, root / "fill.log")
    produce.wait_until(lambda: produce.finished, STARTUP_SECONDS, time.sleep)


@contextmanager
def _looking(url: str, pages: int, products: int) -> Iterator[Page]:
    """Pages that have all the rows; the last of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(pages):
            page = browser.new_page(viewport={"width": 1440, "height": 1400})
            page.goto(url)
            page.get_by_text(f"{products:,} products").wait_for(timeout=EVERYTHING_SECONDS)
        yield page
        browser.close()


def _dashboard() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    return next(child for child in children if child.cmdline()[-2:] == ["-m", "dashboard"])


def _report(process: psutil.Process, seconds: float) -> None:
    began, before = time.monotonic(), process.cpu_times()
    most = 0
    while time.monotonic() - began < seconds:
        time.sleep(1)
        most = max(most, process.memory_info().rss)
    took, after = time.monotonic() - began, process.cpu_times()
    used = after.user + after.system - before.user - before.system
    print(f"Server: {used / took:.1%} of a core, {most / 2**20:.0f} MiB at most, over {took:.0f} s")


def _report_page(page: Page, seconds: float) -> None:
    """How smoothly the page is drawn, and the rate that it shows meanwhile."""
    gaps = sorted(page.evaluate("window.gaps"))
    print(
        f"Page: {len(gaps) / seconds:.0f} frames a second; between two 99 % take up to "
        f"{gaps[len(gaps) * 99 // 100]:.0f} ms, all up to {gaps[-1]:.0f} ms"
    )
    rate = page.locator("[data-node=stream] dd").first.inner_text()
    print(f"Meanwhile on the stream: {rate}")


if __name__ == "__main__":
    run_until_stopped(main)
