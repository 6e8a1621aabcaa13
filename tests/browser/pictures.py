"""The pictures of the page in the docs: `make pictures` takes them again.

The name keeps the file out of other runs of the tests, as it waits for charts to fill.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pages import ROOT

FOLDER = ROOT / "docs/pictures"
CHART_MS = 80_000


@pytest.mark.browser
@pytest.mark.timeout(400)
def test_take_a_picture_of_a_healthy_pipeline_and_of_a_killed_worker(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    pipe = page.locator("[data-node=pipe]")
    set_rate(page, "8")
    expect(pipe).to_have_attribute("data-health", "flowing")
    page.wait_for_timeout(CHART_MS)
    page.get_by_role("button", name="Send poison event").click()
    set_rate(page, "20")
    page.wait_for_timeout(CHART_MS)
    take(page, FOLDER / "dashboard.png")
    page.get_by_role("button", name="Kill pipe worker").click()
    expect(pipe).to_have_attribute("data-health", "down")
    expect(page.locator(".chart svg").get_by_text("Kill pipe worker").first).to_be_visible()
    take(page, FOLDER / "dashboard-down.png")


def set_rate(page: Page, rate: str) -> None:
    page.get_by_label("Events per second").fill(rate)
    page.get_by_role("button", name="Set rate").click()


def take(page: Page, file: Path) -> None:
    page.locator(".q-notification").evaluate_all("(notes) => notes.forEach((n) => n.remove())")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=file, animations="disabled")
