"""The stack as `inventory up` runs it, its page, and a browser to look at it with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

import chromium
from inventory_cli.embedded.processes import free_port
from waiting import eventually

PATIENCE_MS = 60_000
FAILED = pytest.StashKey[bool]()


@dataclass
class Live:
    """A running `inventory up`, the address of its page, and what it has said."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_product(self) -> str:
        """The id of a product that the producer does not know."""
        return f"Own{next(self._numbers)}"


@pytest.fixture(scope="module")  # the tests after these have the machine to themselves again
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder, port = tmp_path_factory.mktemp("browser"), free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") or "BUNDLE" in k}
    for name in ("TARGET", "PYTEST_CURRENT_TEST"):  # NiceGUI behaves otherwise in a test
        kept.pop(name, None)
    log = folder / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "inventory_cli", "up", "--rate", "5", "--products", "40"],
            cwd=folder,
            env={**kept, "DASHBOARD_PORT": str(port), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: process.poll() is None and _answers(f"{url}/health"), timeout=180)
        yield Live(url, process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
            return bool(json.loads(response.read())["status"] == "ok")
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")  # while it is there, nothing else can run an event loop
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Without a sandbox of its own, for tests may run as root, in a container.
        browser = playwright.chromium.launch(
            executable_path=chromium.need(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def open_page(
    live: Live, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Page]]:
    """Opens the page in a browser session of its own; nothing may go wrong in it.

    What it shows is told where a test fails: that is what the test waited for in vain.
    """
    expect.set_options(timeout=PATIENCE_MS)
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    noted: list[str] = []

    def opened() -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 1400})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: noted.append(f"console: {message.text}"))
        page.on("requestfailed", lambda lost: noted.append(f"no answer: {lost.url} {lost.failure}"))
        page.on("dialog", lambda dialog: problems.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda request: _note_foreign(request.url, live.url, problems))
        # Chromium drops what it loads when a network comes or goes: other tests start containers.
        eventually(lambda: _loaded(page, live.url), timeout=60)
        return page

    yield opened
    if request.node.stash.get(FAILED, False):
        for page in (page for context in contexts for page in context.pages):
            print(page.locator("body").aria_snapshot())
        print("\n".join(noted), live.log.read_text()[-4000:], sep="\n")
    for context in contexts:
        context.close()
    assert problems == []


def _loaded(page: Page, url: str) -> bool:
    dropped: list[str] = []

    def note(request: Request) -> None:
        if "ERR_NETWORK_CHANGED" in str(request.failure):
            dropped.append(request.url)

    page.on("requestfailed", note)
    try:
        page.goto(url)
    except Error as error:
        dropped.append(str(error))
        if "ERR_NETWORK_CHANGED" not in str(error):
            raise
    finally:
        page.remove_listener("requestfailed", note)
    return not dropped


def _note_foreign(url: str, own: str, problems: list[str]) -> None:
    if not url.startswith((own, "data:", "blob:")):
        problems.append(f"asked elsewhere: {url}")


@pytest.fixture
def page(open_page: Callable[[], Page]) -> Page:
    return open_page()


@pytest.fixture(scope="session")
def screenshots() -> Path | None:
    """Where to leave pictures, if anybody wants them."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
