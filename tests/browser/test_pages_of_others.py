"""What a page of another origin can do to the servers of `inventory up`: nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Page

import foreign_page
from browser.conftest import REBOUND, Live

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    with foreign_page.serving() as port:
        yield port


@pytest.fixture
def variables(live: Live) -> dict[str, str]:
    """Of the environment that leads to the servers."""
    note = live.log.parent / ".inventory" / "embedded" / "running.json"
    told: dict[str, str] = json.loads(note.read_text())["variables"]
    return told


@pytest.fixture
def control(live: Live) -> str:
    """The URL of the producer's control port."""
    for process in psutil.Process(live.process.pid).children(recursive=True):
        if "--control" in (words := process.cmdline()):
            return f"http://{words[words.index('--control') + 1]}"
    raise AssertionError("no producer")


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "evil.localhost"])
def test_a_page_of_another_origin_changes_nothing(
    stranger: Page, elsewhere: int, variables: dict[str, str], control: str, name: str
) -> None:
    stranger.goto(f"http://{name}:{elsewhere}")
    foreign_page.attack(stranger, variables, control)


def test_a_page_whose_name_is_made_to_lead_here_is_refused(
    stranger: Page, live: Live, variables: dict[str, str], control: str
) -> None:
    """DNS rebinding: the page is of the same origin then, and could read the answers."""
    servers = variables["AWS_ENDPOINT_URL"], variables["AWS_ENDPOINT_URL_PIPES"], control
    for url in (*servers, live.url):
        answer = stranger.goto(url.replace("127.0.0.1", REBOUND))
        assert answer is not None
        assert answer.status == 403
        posted = stranger.evaluate("fetch('/', {method: 'POST'}).then((a) => a.status)")
        assert posted in (403, 501), "501: the control port has no POST"
    foreign_page.assert_nothing_happened(variables)


def test_the_dashboard_answers_no_name_that_is_not_local_and_no_page_of_others(live: Live) -> None:
    foreign_page.assert_only_ours_is_answered(live.url, ("GET", "POST"))


def test_a_link_from_elsewhere_opens_the_dashboard(
    stranger: Page, elsewhere: int, live: Live
) -> None:
    stranger.goto(f"http://localhost:{elsewhere}")
    stranger.evaluate(
        "(url) => { document.body.innerHTML = `<a href='${url}'>the dashboard</a>`; }", live.url
    )
    stranger.get_by_text("the dashboard").click()
    stranger.get_by_role("heading", name="Inventory").first.wait_for()
