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

import psutil
import pytest
from playwright.sync_api import (
    Browser,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

import chromium
import foreign_page
from embedded.environment import isolated
from embedded.ports import free_port
from front_door import runs
from waiting import eventually

PATIENCE_MS = 60_000
REBOUND = "evil.example"
"""A name of somebody else's that leads to this machine."""
# Without a GPU, painting what moves takes more CPU time than everything else on the page.
NOTHING_MOVES = """
const sheet = new CSSStyleSheet();
sheet.replaceSync(`*, ::before, ::after {
  animation: none !important; transition: none !important;
}`);
document.adoptedStyleSheets = [sheet];
"""
FAILED = pytest.StashKey[bool]()


@dataclass
class Live:
    """A running `inventory up`, the address of its page, and what it has said."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def part(self, module: str) -> psutil.Process:
        """The process of the stack that runs a module."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if runs(process, module):
                return process
        raise AssertionError(f"no process runs {module}")

    def new_product(self) -> str:
        """The id of a product that the producer does not know."""
        return f"Own{next(self._numbers)}"


@pytest.fixture(scope="module")  # the tests after these have the machine to themselves again
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder, port = tmp_path_factory.mktemp("browser"), free_port()
    kept = isolated(os.environ, {})
    for name in ("TARGET", "PYTEST_CURRENT_TEST"):  # NiceGUI behaves otherwise in a test
        kept.pop(name, None)
    log = folder / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "inventory_cli", "up", "--rate", "2", "--products", "40"],
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
            executable_path=chromium.need(),
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    with foreign_page.serving() as port:
        yield port


@pytest.fixture
def variables(live: Live) -> dict[str, str]:
    """Of the environment that leads to the servers."""
    note = live.log.parent / ".inventory" / "embedded" / "running.json"
    told: dict[str, str] = json.loads(note.read_text())
    return told


@pytest.fixture
def control(live: Live) -> str:
    """The URL of the producer's control port."""
    words = live.part("producer").cmdline()
    return f"http://{words[words.index('--control') + 1]}"


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@dataclass
class Tab:
    """A page in its own browser session, and what happened in it."""

    page: Page
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, url: str) -> Tab:
        context = browser.new_context()
        context.add_init_script(NOTHING_MOVES)
        context.set_default_timeout(PATIENCE_MS)
        tab = cls(context.new_page())
        problems, notes = tab.problems, tab.notes
        tab.page.on("pageerror", lambda error: problems.append(str(error)))
        tab.page.on("console", lambda message: notes.append(f"console: {message.text}"))
        tab.page.on(
            "requestfailed", lambda lost: notes.append(f"no answer: {lost.url} {lost.failure}")
        )
        tab.page.on("dialog", lambda dialog: problems.append(f"a dialog: {dialog.message}"))
        tab.page.on("request", lambda request: _note_foreign(request.url, url, problems))
        return tab

    def load(self, url: str) -> None:
        """Load the page as a new user sees it."""
        self.notes.clear()
        self.page.set_viewport_size({"width": 1440, "height": 1400})
        self.page.emulate_media(color_scheme="light")
        # Chromium drops what it loads when a network comes or goes: other tests start containers.
        eventually(lambda: _loaded(self.page, url), timeout=60)


@pytest.fixture(scope="module")
def idle() -> list[Tab]:
    """The tab that the next test reuses, if any. A reload takes a third of the CPU time."""
    return []


@pytest.fixture
def open_page(
    live: Live, browser: Browser, idle: list[Tab], request: pytest.FixtureRequest
) -> Iterator[Callable[[], Page]]:
    """Return a function that loads the page, each time in another browser session.

    After the test, an error in a page is a failure. If the test failed, print what the pages show.
    """
    expect.set_options(timeout=PATIENCE_MS)
    tabs: list[Tab] = []

    def opened() -> Page:
        tabs.append(idle.pop() if idle else Tab.open(browser, live.url))
        tabs[-1].load(live.url)
        return tabs[-1].page

    yield opened
    failed = request.node.stash.get(FAILED, False)
    problems = [problem for tab in tabs for problem in tab.problems]
    if failed:
        for tab in tabs:
            print(tab.page.locator("body").aria_snapshot(), *tab.notes, sep="\n")
        print(live.log.read_text()[-4000:])
    elif tabs and not problems:
        idle.append(tabs.pop(0))
    for tab in tabs:
        tab.page.context.close()
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
