"""The page as somebody sees it who runs `make up`: what it shows, what its controls do, and what
pages of others can do to it and to all that `up` runs: nothing."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Locator, Page, Request, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from tests.browser.conftest import REBOUND, Live

import foreign_page
from stack import client_at
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
    page.get_by_role("button", name="Send event").click()
    form = page.get_by_role("dialog")
    complete(
        form,
        {"Product id": product_id, "Product name": name, "Quantity (new level)": quantity},
    )
    form.get_by_role("button", name="Send", exact=True).click()
    expect(form).not_to_be_visible()


def complete(form: Locator, texts: dict[str, str]) -> None:
    """Fill in the form, until what the server has heard of it is a valid event."""

    def filled_in() -> bool:
        for label, text in texts.items():
            form.get_by_label(label).fill("")
            form.get_by_label(label).fill(text)
        expect(form.get_by_text("Valid event")).to_be_visible(timeout=10_000)
        return True

    eventually(filled_in, timeout=60)


def change(page: Page, product_id: str, by: str) -> None:
    page.get_by_role("button", name="Send event").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Event type").click()
    page.get_by_role("option", name="product quantity changed").click()
    complete(form, {"Product id": product_id, "Quantity change (+ or -)": by})
    form.get_by_role("button", name="Send", exact=True).click()
    expect(form).not_to_be_visible()


def place(part: Locator) -> FloatRect:
    """Where it is, once it is anywhere: a grid draws its rows again while they change."""
    box = eventually(part.bounding_box)
    assert box is not None
    return box


def top(part: Locator) -> float:
    return place(part)["y"]


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def failures(page: Page) -> Locator:
    return page.get_by_role("region", name="What failed")


def feed(page: Page) -> Locator:
    return page.get_by_role("region", name="Latest events")


def note(page: Page, text: str) -> Locator:
    """A notification."""
    return page.locator(".q-notification", has_text=text)


def set_rate(page: Page, rate: str) -> None:
    page.get_by_label("Events per second").fill(rate)
    page.get_by_role("button", name="Set rate").click()


def marks(page: Page) -> Locator:
    """The texts of the marks on the first chart."""
    return page.locator(".chart").first.locator("svg text")


@contextmanager
def stopped(process: psutil.Process, *, page: Page) -> Iterator[None]:
    """While it is stopped, it neither answers nor closes a connection. Afterwards, wait until the
    page is connected again."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()
    expect(page.locator("body.is-disconnected")).to_have_count(0)


def assert_nothing_is_on(page: Page, since: re.Pattern[str]) -> None:
    expect(page.get_by_role("alert").get_by_text(since)).to_be_visible()
    for key in ("producer", "pipe", "table"):
        expect(node(page, key).locator(".node-word")).not_to_be_visible()
    assert page.locator(".page").evaluate("(e) => [e.inert, getComputedStyle(e).filter]") == [
        True,
        "grayscale(1)",
    ]
    with pytest.raises(PlaywrightTimeoutError):
        page.locator(".controls button").last.click(timeout=500)


def test_rows_appear_while_the_producer_runs_and_the_nodes_say_that_it_flows(page: Page) -> None:
    expect(first_row(page)).to_be_visible()
    for key in ("producer", "stream", "pipe", "function", "table"):
        expect(node(page, key)).to_contain_text("flowing")
    expect(node(page, "function")).to_contain_text(re.compile(r"[0-9]+ records? in [0-9]+ ms"))
    expect(inventory(page).get_by_text(re.compile(r"^[1-9]\d* products$"))).to_be_visible()
    expect(feed(page).get_by_text("✓ applied").first).to_be_visible()


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


def test_a_form_is_not_red_before_anyone_typed_and_sends_no_invalid_event(page: Page) -> None:
    page.get_by_role("button", name="Send event").click()
    form = page.get_by_role("dialog", name="Send event")
    expect(form.get_by_label("Product name")).to_be_visible()
    expect(form.locator(".is-bad, .q-field--error")).to_have_count(0)
    form.get_by_label("Product name").fill("Lamp")
    expect(form.get_by_text("product.product_id is missing")).to_be_visible()
    form.get_by_label("Product id").fill("P1")
    form.get_by_label("Quantity (new level)").fill("-3")
    expect(form.get_by_text("product.quantity must be a whole number")).to_be_visible()
    expect(form.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_failed_events_are_listed_unasked_and_a_corrected_one_is_redriven(
    page: Page, live: Live
) -> None:
    page.get_by_role("button", name="Send poison event").click()
    expect(note(page, "Poison event sent: unknown type")).to_be_visible()
    product = live.new_product()
    send(page, product, "Lamp", "5")
    expect(note(page, f"Event sent for product {product}")).to_be_visible()
    expect(row(page, product)).to_contain_text("5")
    expect(node(page, "rejected")).to_have_attribute("data-health", "trouble")
    expect(node(page, "rejected")).to_contain_text(re.compile("[0-9] message"))
    change(page, product, "-9")
    rejected = failures(page).locator(".ag-row", has_text=product)
    expect(rejected).to_contain_text("goes below zero")
    expect(failures(page).get_by_text("event_type must be one of").first).to_be_visible()
    expect(failures(page).get_by_text("product_misplaced").first).to_be_visible()

    dialog = page.get_by_role("dialog")
    hidden = note(page, "The message is not visible in its queue")

    def opened() -> bool:
        """A rejection is in the log before it is in its queue, where the payload is.

        A click is answered before the next one: a dialog would be in its way."""
        rejected.locator("[col-id=effect]").click()
        expect(dialog.or_(hidden).first).to_be_visible()
        if dialog.is_visible():
            return True
        expect(hidden).to_have_count(0)
        return False

    eventually(opened, timeout=60)
    expect(dialog.get_by_text("stays (correct its payload)")).to_be_visible()
    expect(dialog.get_by_role("button", name="Redrive")).to_be_disabled()
    payload = dialog.get_by_label("Payload")
    payload.fill(payload.input_value().replace("-9", "-2"))
    expect(dialog.get_by_text("quantity 5 → 3")).to_be_visible()
    dialog.get_by_role("button", name="Redrive").click()
    expect(dialog).not_to_be_visible()
    expect(note(page, "Event redriven")).to_be_visible()
    expect(marks(page).get_by_text("Redrive").first).to_be_visible()
    expect(page.get_by_label("Latest actions")).to_contain_text(re.compile("Redrive.*Poison"))
    expect(rejected).to_have_count(0)
    expect(row(page, product)).to_contain_text("3")


def test_failures_from_before_the_page_are_not_loaded_until_someone_asks(
    page: Page, variables: dict[str, str]
) -> None:
    """So no other reader waits: this test is the first that receives its message."""
    sqs = client_at("sqs", variables)
    url = sqs.get_queue_url(QueueName="inventory-rejected")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="not of this page")["MessageId"]
    expect(failures(page).get_by_text(re.compile("Not loaded: .* rejected"))).to_be_visible()

    def received() -> Any:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=5,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return next((m for m in answer.get("Messages", ()) if m["MessageId"] == sent), None)

    message = eventually(received)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_killed_worker_turns_its_node_red_and_it_recovers_and_the_chart_says_why(
    page: Page,
) -> None:
    expect(node(page, "pipe")).to_contain_text("flowing")
    page.get_by_role("button", name="Kill pipe worker").click()
    expect(note(page, "Pipe worker killed")).to_be_visible()
    expect(node(page, "pipe")).to_have_attribute("data-health", "down")
    expect(node(page, "pipe")).to_contain_text("not reachable")
    expect(page.get_by_role("button", name="Stop pipe")).to_be_disabled()
    expect(page.get_by_role("status").get_by_text("Pipe: not reachable")).to_be_attached()
    expect(marks(page).get_by_text("Kill pipe worker").first).to_be_visible()
    expect(node(page, "pipe")).to_have_attribute("data-health", "flowing")
    expect(page.get_by_label("Latest actions")).to_contain_text("Kill pipe worker")


def test_a_stopped_pipe_is_shown_and_events_get_their_outcomes_once_it_starts(
    page: Page,
) -> None:
    page.get_by_role("button", name="Stop pipe").click()
    expect(node(page, "pipe")).to_have_attribute("data-health", "stopped")
    waiting = feed(page).locator(".ag-row", has_text="… waiting").first
    expect(waiting).to_be_visible()
    expect(feed(page).get_by_text("✓ applied").first).to_be_visible()
    key = waiting.get_attribute("row-id")
    page.get_by_role("button", name="Start pipe").click()
    expect(node(page, "pipe")).to_have_attribute("data-health", "flowing")
    expect(node(page, "pipe").locator(".node-note")).not_to_be_visible()
    same = feed(page).locator(f'.ag-row[row-id="{key}"]')
    expect(same).to_contain_text(re.compile("applied|rejected|not found|duplicate"))


def test_no_text_of_a_mark_covers_another_and_the_latest_has_one(page: Page) -> None:
    for number in range(3):
        page.get_by_role("button", name="Send poison event").click()
        expect(page.get_by_label("Latest actions")).to_contain_text(
            re.compile(r"\d Poison" + " · .* Poison" * number)
        )
    set_rate(page, "2")
    for chart in page.locator(".chart").all():
        expect(chart.locator("svg text", has_text="Rate 2")).to_be_visible()
        texts = chart.locator("svg text", has_text=re.compile("^(Rate|Poison|Pause|Resume)"))
        spans = sorted((box["x"], box["x"] + box["width"]) for box in map(place, texts.all()))
        assert all(left[1] <= right[0] for left, right in pairwise(spans))


def test_a_rate_that_is_typed_while_the_producer_does_not_answer_stays_in_its_field(
    page: Page, live: Live
) -> None:
    button, field = page.get_by_role("button", name="Set rate"), page.get_by_label("Events per")
    expect(field).not_to_have_value("")
    with stopped(live.part("producer"), page=page):
        expect(button).to_be_disabled()
        field.fill("7")
    expect(button).to_be_enabled()
    expect(field).to_have_value("7")


def test_a_wrong_rate_stays_with_the_reason_and_the_producer_is_paused_and_resumed(
    page: Page,
) -> None:
    field = page.get_by_label("Events per second")
    expect(field).not_to_have_value("")
    expect(page.locator(".q-field--error")).to_have_count(0)
    for wrong in ("0", "1,001", "fast"):
        set_rate(page, wrong)
        expect(page.get_by_text("Enter a number from 0.1 to 1,000")).to_be_visible()
        expect(field).to_have_value(wrong)
        field.fill("2")
        expect(page.locator(".q-field--error")).to_have_count(0)
    expect(page.locator(".q-notification")).to_have_count(0)
    page.get_by_role("button", name="Pause producer").click()
    expect(note(page, "Producer paused")).to_be_visible()
    expect(node(page, "producer")).to_have_attribute("data-health", "stopped")
    page.get_by_role("button", name="Resume producer").click()
    expect(note(page, "Producer resumed")).to_be_visible()
    expect(node(page, "producer")).to_have_attribute("data-health", "flowing")


def test_a_second_browser_sees_the_same_and_a_new_rate_takes_effect_at_once(
    open_page: Callable[[], Page], live: Live, control: str
) -> None:
    first, second = open_page(), open_page()
    product = live.new_product()
    send(first, product, "Shared", "12")
    for page in (first, second):
        expect(row(page, product)).to_contain_text("Shared")
    change(second, product, "+30")
    for page in (first, second):
        expect(row(page, product)).to_contain_text("42")
    expect(second.get_by_label("Events per second")).not_to_have_value("")
    set_rate(first, "0.1")
    expect(note(first, "Rate set to 0.1 a second")).to_be_visible()
    expect(second.get_by_label("Events per second")).to_have_value("0.1")
    began = time.monotonic()
    set_rate(first, "20")
    measured = node(second, "producer").locator("dd").first
    expect(measured).to_have_text(re.compile(r"^([5-9]|1.|20)\."))
    assert time.monotonic() - began < 9, "an event every ten seconds was the rate before"
    expect(second.get_by_label("Events per second")).to_have_value("20")
    expect(marks(second).get_by_text("Rate 20").first).to_be_visible()
    with urllib.request.urlopen(control, timeout=10) as answer:  # noqa: S310
        assert json.loads(answer.read())["rate"] == 20
    set_rate(first, "3")
    expect(node(second, "producer")).to_contain_text(re.compile(r"set to\s*3/s"))


def test_without_its_server_or_aws_the_page_says_since_when_and_nothing_is_on(
    page: Page, live: Live
) -> None:
    for server, ending in (("dashboard", "$"), ("embedded.emulator", "")):
        expect(node(page, "table")).to_contain_text("flowing")
        with stopped(live.part(server), page=page):
            since = re.compile(rf"^Disconnected since \d\d:\d\d:\d\d UTC{ending}")
            assert_nothing_is_on(page, since)


def test_a_browser_too_busy_to_answer_for_ten_seconds_keeps_what_its_user_was_typing(
    page: Page,
) -> None:
    page.get_by_role("button", name="Send event").click()
    form = page.get_by_role("dialog", name="Send event")
    form.get_by_label("Product id").fill("half an id")
    loaded: list[Request] = []
    page.on("request", lambda request: loaded.append(request))
    debugger = page.context.new_cdp_session(page)
    debugger.send("Debugger.enable")
    began = page.locator(".bar-time").inner_text()
    debugger.send("Debugger.pause")
    time.sleep(10)  # the page runs no line of its script, so there is nothing to wait for
    debugger.send("Debugger.disable")
    expect(page.locator(".bar-time")).not_to_have_text(began)
    expect(page.locator("body.is-disconnected")).to_have_count(0)
    expect(form.get_by_label("Product id")).to_have_value("half an id")
    assert [request.url for request in loaded if request.is_navigation_request()] == []


def test_the_inventory_opens_with_the_latest_change_and_counts_a_search(
    page: Page, live: Live
) -> None:
    product = live.new_product()
    send(page, product, "Newest", "1")
    expect(inventory(page).locator(f'.ag-row[row-id="{product}"]')).to_have_attribute(
        "row-index", re.compile("^[0-9]$")
    )
    expect(row(page, product)).to_be_visible()
    expect(inventory(page).get_by_text(re.compile(r"^1 of \d+ products$"))).to_be_visible()
    inventory(page).get_by_label("Search the inventory").fill("no such product")
    expect(inventory(page).get_by_text("No product matches the search")).to_be_visible()
    expect(inventory(page).get_by_text(re.compile(r"^0 of \d+ products$"))).to_be_visible()


def test_all_times_are_utc(page: Page) -> None:
    for region in (inventory(page), feed(page)):
        expect(region.get_by_text(re.compile(r"\(UTC\)"))).to_be_visible()
    shown = page.locator(".bar-time").inner_text()
    assert shown in {f"{datetime.now(UTC) - timedelta(seconds=n):%H:%M:%S} UTC" for n in range(4)}


def test_an_accessibility_check_finds_nothing_in_the_page_or_its_dialogs(page: Page) -> None:
    expect(first_row(page)).to_be_visible()
    expect(page.locator("body.body--dark")).to_have_count(0)
    assert_accessible(page)

    page.emulate_media(color_scheme="dark")
    expect(page.locator("body.body--dark")).to_have_count(1)
    assert_accessible(page)

    page.get_by_role("button", name="Send event").click()
    form = page.get_by_role("dialog", name="Send event")
    expect(form.get_by_label("Product id")).to_be_visible()
    assert_accessible(page)

    page.keyboard.press("Escape")
    first_row(page).click()
    expect(page.get_by_role("dialog", name="Product history")).to_be_visible()
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


def test_the_keyboard_alone_opens_a_history(page: Page, live: Live) -> None:
    product = live.new_product()
    send(page, product, "Lamp", "5")
    row(page, product).locator("[col-id=product_id]").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"Product {product}", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()


def test_on_a_phone_quantity_and_outcome_are_visible_and_charts_come_before_controls(
    page: Page,
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    expect(first_row(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for cell in (
        first_row(page).locator("[col-id=quantity]"),
        feed(page).locator("[col-id=outcome]"),
    ):
        box = place(cell.last)
        assert box["x"] + box["width"] <= 390
    assert top(page.get_by_role("region", name="Charts")) < top(page.locator(".controls"))


def test_the_flow_stays_in_one_line_and_a_desktop_shows_a_chart_and_ten_rows_too(
    page: Page,
) -> None:
    keys = ("producer", "stream", "pipe", "function", "table")
    for width, height in ((1024, 768), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        assert len({top(node(page, key)) for key in keys}) == 1
        for key in keys[:-1]:
            arrow = node(page, key).evaluate("(e) => getComputedStyle(e, '::after').content")
            assert arrow.startswith('"→"')
    tenth = inventory(page).locator('.ag-row[row-index="9"]')
    for part in (page.locator(".flow"), page.locator(".chart").first, tenth):
        expect(part).to_be_visible()
        box = place(part)
        assert box["y"] + box["height"] <= height


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
        assert "set-cookie" not in answer.headers


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


def test_a_link_from_elsewhere_opens_the_page_and_with_reduced_motion_nothing_moves(
    stranger: Page, elsewhere: int, live: Live
) -> None:
    stranger.emulate_media(reduced_motion="reduce")
    stranger.goto(f"http://localhost:{elsewhere}")
    stranger.evaluate(
        "(url) => { document.body.innerHTML = `<a href='${url}'>the dashboard</a>`; }", live.url
    )
    stranger.get_by_text("the dashboard").click()
    expect(first_row(stranger)).to_be_visible()
    moving = """[...document.querySelectorAll('*')].flatMap((e) =>
        ['', '::before', '::after'].map((part) => getComputedStyle(e, part || null))).filter((s) =>
        s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0).length"""
    assert stranger.evaluate(moving) == 0


def test_health_is_json(live: Live) -> None:
    with urllib.request.urlopen(f"{live.url}/health", timeout=10) as answer:  # noqa: S310
        assert json.loads(answer.read()) == {"status": "ok"}


def test_a_producer_that_has_ended_is_not_running_and_its_controls_are_off(
    page: Page, live: Live
) -> None:
    """The last test: the others need the producer."""
    expect(page.get_by_role("button", name="Set rate")).to_be_enabled()
    live.part("producer").terminate()
    expect(node(page, "producer")).to_have_attribute("data-health", "ended")
    expect(node(page, "producer")).to_contain_text("not running")
    expect(node(page, "producer").locator(".node-note")).not_to_be_visible()
    for name in ("Set rate", "Pause producer"):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", "The producer is not running")
    expect(page.get_by_label("Events per second")).to_be_disabled()
    assert_accessible(page)
    eventually(lambda: "The producer has sent all its events and ended.\n" in live.log.read_text())
