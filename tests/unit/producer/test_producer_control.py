from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import count, islice, repeat
from typing import Any

import pytest
from tests.unit.producer.test_producer_feed import Feeding

from producer.control import Pace, serve
from simulated_stream import FakeClock, event


def pace(rate: float | None = 10.0) -> Pace:
    return Pace(rate, lambda of: repeat(1.0 if of is None else 1 / of))


def test_a_changed_rate_holds_from_the_next_event_on() -> None:
    changing = pace(10.0)
    gaps = changing.gaps()
    assert list(islice(gaps, 2)) == [0.1, 0.1]
    changing.change({"rate": 4})
    assert list(islice(gaps, 2)) == [0.25, 0.25]
    changing.change({"rate": None})
    assert next(gaps) == 1.0


def test_a_changed_rate_does_not_wait_for_the_gap_of_the_old_one() -> None:
    changing = pace(0.05)

    class Interrupted(FakeClock):
        def wait(self, seconds: float) -> None:
            """A second of the 20 s wait, after which the rate is changed."""
            if changing.rate == 0.05:
                changing.change({"rate": 4})
                seconds = 1.0
            super().wait(seconds)

    run = Feeding(
        (event(f"P{n}", n) for n in range(5)),
        changing.gaps(),
        clock=Interrupted(),
        has_new_rate=lambda: changing.has_new_rate,
    )
    assert run.times == [0.0, 1.0, 1.25, 1.5, 1.75]


def test_a_change_is_told_at_once_to_whoever_waits() -> None:
    told: list[float | None] = []
    changing = Pace(1.0, lambda of: repeat(1.0), lambda: told.append(changing.rate))
    changing.change({"rate": 4})
    with pytest.raises(ValueError, match="rate"):
        changing.change({"rate": 0})
    assert told == [4]


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
        {"paused": 1},
        {"rate": 5, "paused": "yes"},
        {"speed": 5},
    ],
)
def test_what_is_no_pace_is_refused_and_changes_nothing(wanted: Any) -> None:
    kept = pace()
    with pytest.raises(ValueError, match="must be"):
        kept.change(wanted)
    assert (kept.rate, kept.paused) == (10.0, False)


def test_while_it_is_paused_nothing_is_taken_and_what_is_taken_is_sent() -> None:
    def stopping(run: Feeding) -> bool:
        run_is_at.append(run.clock.now)
        return run.clock.now >= 5.0

    run_is_at: list[float] = []
    run = Feeding(
        (event(f"P{n}", n) for n in count()),
        repeat(1.0),
        stopping=stopping,
        paused=lambda: bool(run_is_at) and 1.5 < run_is_at[-1] < 3.5,
    )
    assert [round(time) for time in run.times][:2] == [0, 1]
    assert not [time for time in run.times if 1.6 < time < 3.5]
    assert len(run.times) > 3
    assert run.left == 0


@pytest.fixture
def endpoint() -> Iterator[tuple[Pace, str]]:
    served = pace()
    server = serve(served, "127.0.0.1", 0)
    yield served, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


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
