"""Pictures of the live page: of a stack that runs as `inventory up` runs it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.live_page import live_page
from playwright.sync_api import Browser, Page, expect, sync_playwright

PATIENCE_MS = 60_000
CHART_MS = 90_000  # of events, to have charts worth looking at


def take(folder: Path) -> None:
    """Leaves dashboard.png, dashboard-dark.png, dashboard-phone.png and dashboard-down.png."""
    expect.set_options(timeout=PATIENCE_MS)
    with (
        tempfile.TemporaryDirectory() as root,
        live_page(Path(root), "--rate", "8", "--products", "40") as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = _open(browser, url, 1440, 1250)
        _wait_for_events(page)
        page.screenshot(path=folder / "dashboard.png", animations="disabled")
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=folder / "dashboard-dark.png", animations="disabled")
        phone = _open(browser, url, 390, 844)
        expect(phone.get_by_role("spinbutton", name="Events per second")).not_to_have_value("")
        phone.screenshot(path=folder / "dashboard-phone.png", animations="disabled")
        page.emulate_media(color_scheme="light")
        _break_something(page)
        page.screenshot(path=folder / "dashboard-down.png", animations="disabled")
        browser.close()


def _open(browser: Browser, url: str, width: int, height: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(url)
    expect(page.locator("[data-node=pipe]")).to_have_attribute("data-health", "flowing")
    return page


def _wait_for_events(page: Page) -> None:
    """Until the page has rows in numbers, and its charts some time to show."""
    rows = page.get_by_role("region", name="Inventory").locator(".ag-row")
    expect(rows.nth(8)).to_be_visible()
    page.wait_for_timeout(CHART_MS)


def _break_something(page: Page) -> None:
    page.get_by_role("button", name="Inject poison").click()
    page.get_by_role("button", name="Kill its worker").click()
    expect(page.locator("[data-node=pipe]")).to_have_attribute("data-health", "down")
