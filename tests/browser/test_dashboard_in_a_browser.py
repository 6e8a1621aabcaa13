"""The page as somebody sees it who runs `make up`: what it shows, what its controls do, and what
pages of others can do to it and to all that `up` runs: nothing."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from urllib.error import HTTPError

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

import foreign_page
from browser.conftest import REBOUND, Live
from waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SCRIPT = "<script>alert(1)</script>"


def node(page: Page, key: str) -> Locator:
    return page.locator(f"[data-node={key}]")


def inventory(page: Page) -> Locator:
    return page.get_by_role("region", name="Inventory")


def row(page: Page, product_id: str) -> Locator:
    """Search for a product. Its row is found once it is at the top, where a click hits it."""
    inventory(page).get_by_label("Search the inventory").fill(product_id)
    return inventory(page).locator(f'.ag-row[row-index="0"][row-id="{product_id}"]')


def first_row(page: Page) -> Locator:
    return inventory(page).locator('.ag-row[row-index="0"]')


def send(page: Page, product_id: str, name: str, quantity: str) -> None:
    page.get_by_role("button", name="Send an event").click()
    form = page.get_by_role("dialog")
    complete(
        form,
        {"Product id": product_id, "Product name": name, "Quantity (the level)": quantity},
    )
    form.get_by_role("button", name="Send").click()
    expect(form).not_to_be_visible()


def complete(form: Locator, texts: dict[str, str]) -> None:
    """Fill in the form, until what the server has heard of it is a valid event."""

    def filled_in() -> bool:
        for label, text in texts.items():
            form.get_by_label(label).fill("")
            form.get_by_label(label).fill(text)
        expect(form.get_by_text("A valid event.")).to_be_visible(timeout=3_000)
        return True

    eventually(filled_in, timeout=60)


def change(page: Page, product_id: str, by: str) -> None:
    page.get_by_role("button", name="Send an event").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Event type").click()
    page.get_by_role("option", name="product quantity changed").click()
    complete(form, {"Product id": product_id, "Change (signed)": by})
    form.get_by_role("button", name="Send").click()
    expect(form).not_to_be_visible()


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def failures(page: Page) -> Locator:
    return page.get_by_role("region", name="What failed")


def look(page: Page) -> None:
    failures(page).get_by_role("button", name="Look into the queues").click()


def test_rows_appear_while_the_producer_runs_and_the_nodes_say_that_it_flows(page: Page) -> None:
    expect(first_row(page)).to_be_visible()
    for key in ("producer", "stream", "pipe", "function", "table"):
        expect(node(page, key)).to_contain_text("flowing")
    expect(inventory(page).get_by_text(re.compile(r"^[1-9]\d* products$"))).to_be_visible()
    applied = page.get_by_role("region", name="Latest events").get_by_text("✓ applied").first
    expect(applied).to_be_visible()


def test_an_event_sent_by_hand_is_in_the_table_and_in_the_history_as_text(
    page: Page, live: Live
) -> None:
    product = live.new_product()
    send(page, product, SCRIPT, "7")
    expect(row(page, product)).to_contain_text(SCRIPT)
    expect(row(page, product)).to_contain_text("7")
    row(page, product).locator("[col-id=product_name]").click()
    history = page.get_by_role("dialog")
    expect(history.get_by_text(f"Product {product}")).to_be_visible()
    expect(history.get_by_text(SCRIPT).first).to_be_visible()
    expect(history.get_by_text("new row, quantity 7")).to_be_visible()
    expect(history.get_by_text("✓ applied")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('.page script, .q-dialog script').length") == 0
    history.get_by_role("button", name="Close").click()
    expect(history).not_to_be_visible()


def test_a_form_that_is_no_valid_event_cannot_be_sent(page: Page) -> None:
    page.get_by_role("button", name="Send an event").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Product id").fill("P1")
    form.get_by_label("Product name").fill("Lamp")
    form.get_by_label("Quantity (the level)").fill("-3")
    expect(form.get_by_text("product.quantity must be a whole number")).to_be_visible()
    expect(form.get_by_role("button", name="Send")).to_be_disabled()


def test_rejected_events_are_listed_with_their_reasons_and_a_corrected_one_is_redriven(
    page: Page, live: Live
) -> None:
    page.get_by_role("button", name="Inject poison").click()
    product = live.new_product()
    send(page, product, "Lamp", "5")
    expect(row(page, product)).to_contain_text("5")
    expect(node(page, "rejected")).to_contain_text("trouble")
    change(page, product, "-9")
    rejected = failures(page).locator(".ag-row", has_text=product)

    def seen() -> bool:
        look(page)
        expect(rejected).to_contain_text("goes below zero", timeout=3_000)
        return True

    eventually(seen, timeout=60)
    expect(failures(page).get_by_text("event_type must be one of").first).to_be_visible()
    expect(failures(page).get_by_text("product_misplaced").first).to_be_visible()

    rejected.locator("[col-id=reason]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("stays (--edit changes it)")).to_be_visible()
    expect(dialog.get_by_role("button", name="Redrive")).to_be_disabled()
    payload = dialog.get_by_label("Payload")
    payload.fill(payload.input_value().replace("-9", "-2"))
    expect(dialog.get_by_text("quantity 5 → 3")).to_be_visible()
    dialog.get_by_role("button", name="Redrive").click()
    expect(dialog).not_to_be_visible()
    expect(rejected).to_have_count(0)
    expect(row(page, product)).to_contain_text("3")


def test_a_killed_worker_turns_its_node_red_and_it_recovers(page: Page) -> None:
    expect(node(page, "pipe")).to_contain_text("flowing")
    page.get_by_role("button", name="Kill its worker").click()
    expect(node(page, "pipe")).to_have_attribute("data-health", "down")
    expect(node(page, "pipe")).to_contain_text("not reachable")
    expect(page.get_by_role("status").get_by_text("Pipe: not reachable")).to_be_attached()
    expect(node(page, "pipe")).to_have_attribute("data-health", "flowing")


def test_a_stopped_pipe_says_so_and_a_started_one_catches_up(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(node(page, "pipe")).to_have_attribute("data-health", "stopped")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(node(page, "pipe")).to_have_attribute("data-health", "flowing")
    expect(node(page, "stream")).to_have_attribute("data-health", "flowing")


def test_the_producer_is_paused_resumed_and_made_faster(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(node(page, "producer")).to_have_attribute("data-health", "stopped")
    page.get_by_role("spinbutton", name="Events per second").fill("3")
    page.get_by_role("button", name="Set the rate").click()
    page.get_by_role("button", name="Resume").click()
    expect(node(page, "producer")).to_have_attribute("data-health", "flowing")
    expect(node(page, "producer")).to_contain_text(re.compile(r"set to\s*3\.0/s"))


def test_a_second_browser_sees_the_same(open_page: Callable[[], Page], live: Live) -> None:
    first, second = open_page(), open_page()
    product = live.new_product()
    send(first, product, "Shared", "12")
    for page in (first, second):
        expect(row(page, product)).to_contain_text("Shared")
    change(second, product, "+30")
    for page in (first, second):
        expect(row(page, product)).to_contain_text("42")


def test_an_accessibility_check_finds_nothing(page: Page) -> None:
    expect(first_row(page)).to_be_visible()
    expect(page.locator("body.body--dark")).to_have_count(0)
    assert_accessible(page)

    page.emulate_media(color_scheme="dark")
    expect(page.locator("body.body--dark")).to_have_count(1)
    assert_accessible(page)


def test_an_accessibility_check_finds_nothing_in_the_dialogs_either(page: Page) -> None:
    page.get_by_role("button", name="Send an event").click()
    form = page.get_by_role("dialog", name="Send an event")
    expect(form.get_by_label("Product id")).to_be_visible()
    assert_accessible(page)

    page.keyboard.press("Escape")
    first_row(page).click()
    expect(page.get_by_role("dialog", name="The history of a product")).to_be_visible()
    assert_accessible(page)


def test_a_click_on_a_heading_sorts_the_inventory(page: Page, live: Live) -> None:
    low, high = live.new_product(), live.new_product()
    send(page, low, "Sorted", "1000001")
    send(page, high, "Sorted", "1000002")
    inventory(page).get_by_label("Search the inventory").fill("Sorted")
    rows = inventory(page).locator(".ag-row")
    expect(rows).to_have_count(2)

    heading = inventory(page).get_by_role("columnheader", name="Quantity")
    for order, first in (("ascending", low), ("descending", high)):
        heading.click()
        expect(heading).to_have_attribute("aria-sort", order)
        expect(inventory(page).locator(f'.ag-row[row-index="0"][row-id="{first}"]')).to_be_visible()


def test_the_keyboard_alone_opens_a_history(page: Page) -> None:
    def opened() -> bool:
        product = first_row(page).get_attribute("row-id")
        first_row(page).locator("[col-id=product_id]").focus()
        page.keyboard.press("Enter")
        title = page.get_by_role("dialog").get_by_text(f"Product {product}", exact=True)
        expect(title).to_be_visible(timeout=3_000)
        return True

    eventually(opened, timeout=60)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    expect(first_row(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
def test_requests_in_the_name_of_others_are_refused(live: Live, headers: dict[str, str]) -> None:
    request = urllib.request.Request(live.url, headers=headers)  # noqa: S310
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310
    with refused.value as answer:
        assert answer.code == 403


def test_a_page_of_another_origin_gets_no_websocket(live: Live, page: Page) -> None:
    """A page without an origin, as a sandboxed frame is: a browser says so when it connects."""
    outcome = page.evaluate(
        """(address) => new Promise((resolve) => {
            const frame = document.createElement('iframe');
            frame.sandbox = 'allow-scripts';
            addEventListener('message', (event) => resolve(event.data));
            frame.srcdoc = `<script>
                const socket = new WebSocket(${JSON.stringify(address)});
                socket.onopen = () => parent.postMessage('open', '*');
                socket.onerror = () => parent.postMessage('refused', '*');
            </` + 'script>';
            document.body.append(frame);
        })""",
        f"{live.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
    )
    assert outcome == "refused"


def test_the_page_answers_with_headers_that_keep_others_out(live: Live) -> None:
    with urllib.request.urlopen(live.url, timeout=10) as answer:  # noqa: S310
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "samesite=strict" in answer.headers["set-cookie"].lower()
        assert "httponly" in answer.headers["set-cookie"].lower()


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


def test_health_is_json(live: Live) -> None:
    with urllib.request.urlopen(f"{live.url}/health", timeout=10) as answer:  # noqa: S310
        assert json.loads(answer.read()) == {"status": "ok"}
