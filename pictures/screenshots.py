"""Pictures of the live page: of a stack that runs as `inventory up` runs it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.dashboard import live_page
from playwright.sync_api import Page, expect, sync_playwright

PATIENCE_MS = 60_000
CHART_MS = 80_000  # of events, to have charts worth looking at


def take(folder: Path) -> None:
    """Leave dashboard.png, with all well, and dashboard-down.png, with the pipe's worker killed."""
    expect.set_options(timeout=PATIENCE_MS)
    with (
        tempfile.TemporaryDirectory() as root,
        live_page(Path(root), "--rate", "8", "--products", "40") as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        _wait_for_events(page)
        page.get_by_role("button", name="Send poison event").click()
        _set_rate(page, "20")
        page.wait_for_timeout(CHART_MS)
        _picture(page, folder / "dashboard.png")
        page.get_by_role("button", name="Kill pipe worker").click()
        expect(page.locator("[data-node=pipe]")).to_have_attribute("data-health", "down")
        expect(page.get_by_text("Kill pipe worker").nth(2)).to_be_visible()
        _picture(page, folder / "dashboard-down.png")
        browser.close()


def _wait_for_events(page: Page) -> None:
    """Until the page has rows in numbers, and its charts some time to show."""
    expect(page.locator("[data-node=pipe]")).to_have_attribute("data-health", "flowing")
    rows = page.get_by_role("region", name="Inventory").locator(".ag-row")
    expect(rows.nth(9)).to_be_visible()
    page.wait_for_timeout(CHART_MS)


def _set_rate(page: Page, rate: str) -> None:
    page.get_by_label("Events per second").fill(rate)
    page.get_by_role("button", name="Set rate").click()


def _picture(page: Page, file: Path) -> None:
    page.locator(".q-notification").evaluate_all("(notes) => notes.forEach((n) => n.remove())")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=file, animations="disabled")
