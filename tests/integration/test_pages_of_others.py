"""Which requests the servers answer. tests/browser has the same of the dashboard."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import foreign_page
from embedded import ministack
from embedded.ports import free_port
from producer.control import serve
from producer.pace import Pace
from stack import Backend


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    with serve(Pace(1.0), "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_a_page_that_somebody_admits_may_send_what_an_sdk_sends_and_read_the_answer(
    tmp_path: Path,
) -> None:
    own = "http://localhost:3000"
    port = free_port()
    emulator = ministack.start(port, tmp_path, {**os.environ, "PIPES_ALLOW_ORIGIN": own})
    try:
        emulator.wait_until(lambda: ministack.ready(port), timeout=60)
        sent = "authorization,content-type,x-amz-date,x-amz-target"
        for method, headers in (
            ("OPTIONS", {"Access-Control-Request-Headers": sent}),
            ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ):
            told = {"Origin": own, "Access-Control-Request-Method": "POST", **headers}
            request = urllib.request.Request(  # noqa: S310
                ministack.url(port), headers=told, method=method
            )
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                assert answer.headers.get_all("Access-Control-Allow-Origin") in ([own], ["*"])
                allowed = answer.headers.get("Access-Control-Allow-Headers", "")
            assert method == "GET" or set(sent.split(",")) <= set(re.split(", ?", allowed.lower()))
    finally:
        emulator.kill()


@pytest.mark.parametrize("server", ["emulator", "pipes", "control"])
def test_a_request_is_refused_unless_its_host_is_local_and_no_page_of_others_sent_it(
    embedded: Backend, control: str, server: str
) -> None:
    url = {
        "emulator": embedded.variables["AWS_ENDPOINT_URL"],
        "pipes": embedded.variables["AWS_ENDPOINT_URL_PIPES"],
        "control": control,
    }[server]
    methods = ("GET", "PUT") if server == "control" else ("POST", "GET", "PUT")  # it has no POST
    foreign_page.assert_only_ours_is_answered(url, methods)
