from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest
from tests.unit.producer.test_producer_feed import Feeding

from producer.control import change, serve
from producer.pace import Pace
from producer.usage import RefusedError
from simulated_stream import FakeClock, event


def test_a_changed_rate_does_not_wait_for_the_gap_of_the_old_one() -> None:
    pace = Pace(0.05)

    class Interrupted(FakeClock):
        def wait(self, seconds: float) -> None:
            """A second of the 20 s wait, after which the rate is changed."""
            if pace.rate == 0.05:
                change(pace, {"rate": 4})
                seconds = 1.0
            super().wait(seconds)

    run = Feeding((event(f"P{n}", n) for n in range(5)), pace, clock=Interrupted())
    assert run.times == [0.0, 1.0, 1.25, 1.5, 1.75]


def test_a_change_wakes_whoever_waits() -> None:
    rates: list[float | None] = []
    pace = Pace(1.0)
    pace.on_change = lambda: rates.append(pace.rate)
    change(pace, {"rate": 4})
    with pytest.raises(ValueError, match="rate"):
        change(pace, {"rate": 0})
    assert rates == [4]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        [],
        "fast",
        {"rate": 0},
        {"rate": -1},
        {"rate": True},
        {"rate": float("nan")},
        {"rate": 1e9},
        {"rate": 10**400},
        {"paused": 1},
        {"rate": 5, "paused": "yes"},
        {"speed": 5},
    ],
)
def test_what_is_no_pace_is_refused_and_changes_nothing(wanted: Any) -> None:
    kept = Pace(10.0)
    with pytest.raises(ValueError, match="must be"):
        change(kept, wanted)
    assert (kept.rate, kept.paused) == (10.0, False)


def test_while_it_is_paused_nothing_is_taken_and_what_is_taken_is_sent() -> None:
    pace = Pace(1.0)

    def stopping(run: Feeding) -> bool:
        paused = 1.5 < run.clock.now < 3.5
        if paused is not pace.paused:
            change(pace, {"paused": paused})
        return run.clock.now >= 5.0

    class Steps(FakeClock):
        def wait(self, seconds: float) -> None:
            super().wait(min(seconds, 0.25))

    run = Feeding((event(f"P{n}", n) for n in count()), pace, stopping=stopping, clock=Steps())
    assert [round(time) for time in run.times][:2] == [0, 1]
    assert not [time for time in run.times if 1.6 < time < 3.5]
    assert len(run.times) > 3
    assert run.left == 0


def test_while_it_is_paused_it_looks_for_the_end_at_least_once_a_second() -> None:
    pace = Pace(1.0)
    pace.set(1.0, paused=True)
    run = Feeding((event(f"P{n}", n) for n in count()), pace, duration=3.5)
    assert run.times == []
    assert run.clock.now == 3.5


@pytest.fixture
def endpoint() -> Iterator[tuple[Pace, str]]:
    pace = Pace(10.0)
    with serve(pace, "127.0.0.1", 0) as server:
        yield pace, f"http://127.0.0.1:{server.server_port}"


def test_an_address_in_use_is_one_line(endpoint: tuple[Pace, str]) -> None:
    port = int(endpoint[1].rpartition(":")[2])
    text = rf"Cannot listen on 127.0.0.1:{port} \(--control\): Address already in use"
    with pytest.raises(RefusedError, match=text), serve(Pace(), "127.0.0.1", port):
        pass


def asked(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    request = urllib.request.Request(url, method=method, data=body, headers=dict(headers or {}))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_the_endpoint_tells_and_sets_the_pace(endpoint: tuple[Pace, str]) -> None:
    served, url = endpoint
    assert asked(url) == (200, {"rate": 10.0, "paused": False})
    assert asked(url, "PUT", b'{"rate": 50, "paused": true}')[0] == 200
    assert (served.rate, served.paused) == (50, True)
    status, answer = asked(url, "PUT", b'{"rate": "fast"}')
    assert status == 400
    assert "rate" in answer["error"]
    assert asked(url, "PUT", b"no json")[0] == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8081"},
        {"Host": ""},
    ],
)
def test_a_page_in_a_browser_may_not_ask(
    endpoint: tuple[Pace, str], headers: dict[str, str]
) -> None:
    served, url = endpoint
    assert asked(url, "PUT", b'{"paused": true}', headers)[0] == 403
    assert asked(url, headers=headers)[0] == 403
    assert not served.paused


def test_it_is_asked_by_the_name_that_it_listens_on(endpoint: tuple[Pace, str]) -> None:
    _, url = endpoint
    assert asked(url.replace("127.0.0.1", "localhost"))[0] == 200
    assert asked(url, headers={"Host": "[::1]:8081"})[0] == 200
