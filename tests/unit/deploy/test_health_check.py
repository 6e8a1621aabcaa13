"""The health of the emulator's container: up, and its start hooks have succeeded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from deploy import healthcheck

INIT, READY = "/_localstack/init", "/_ministack/ready"
Answer = tuple[int, str]
NOT_FOUND = (404, "{}")


class Emulator(ThreadingHTTPServer):
    """Gives the next of its answers to each request for a path, the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next(self, path: str) -> Answer:
        answers = self.answers.get(path, [NOT_FOUND])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Handler(BaseHTTPRequestHandler):
    server: Emulator

    def do_GET(self) -> None:
        status, text = self.server.next(self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Time:
    """Passes only while somebody waits."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.now = 0.0
        self._meanwhile = meanwhile

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self._meanwhile()


def verdict(url: str, time: Time | None = None) -> tuple[bool, str]:
    time = time or Time()
    return healthcheck.wait(url, time.clock, time.pause)


def localstack(*states: str, ready: bool = True, start: str = "SUCCESSFUL") -> Answer:
    hooks = [
        {"stage": "READY", "name": f"{number}.sh", "state": state}
        for number, state in enumerate(states)
    ]
    first = {"stage": "START", "name": "start.py", "state": start}
    completed = {"BOOT": True, "START": True, "READY": ready, "SHUTDOWN": False}
    return 200, json.dumps({"completed": completed, "scripts": [first, *hooks]})


def ministack(status: str, completed: int = 0, failed: int = 0) -> Answer:
    state = {"status": status, "total": 1, "completed": completed, "failed": failed}
    return 200 if status == "completed" else 503, json.dumps(state)


def test_localstack_is_healthy_once_its_hooks_have_succeeded(emulator: Emulator) -> None:
    emulator.answers[INIT] = [
        localstack("UNKNOWN", ready=False),
        localstack("RUNNING", ready=False),
        localstack("SUCCESSFUL"),
    ]
    assert verdict(emulator.url) == (True, "all start hooks succeeded")


def test_a_failed_hook_of_localstack_is_named_at_once(emulator: Emulator) -> None:
    emulator.answers[INIT] = [localstack("SUCCESSFUL", "ERROR", "RUNNING", ready=False)]
    assert verdict(emulator.url) == (
        False,
        "start hooks failed: 1.sh; the container's log says why",
    )


def test_a_failed_start_hook_of_localstack_is_named_too(emulator: Emulator) -> None:
    """LocalStack would otherwise run with its protection against web pages missing."""
    emulator.answers[INIT] = [localstack("SUCCESSFUL", start="ERROR")]
    assert verdict(emulator.url) == (
        False,
        "start hooks failed: start.py; the container's log says why",
    )


def test_ministack_is_healthy_once_its_hooks_have_succeeded(emulator: Emulator) -> None:
    emulator.answers[READY] = [
        ministack("pending"),
        ministack("running"),
        ministack("completed", completed=1),
    ]
    assert verdict(emulator.url) == (True, "all start hooks succeeded")


def test_a_failed_hook_of_ministack_is_reported(emulator: Emulator) -> None:
    emulator.answers[READY] = [ministack("completed", completed=1, failed=1)]
    assert verdict(emulator.url) == (False, "1 start hooks failed; the container's log says why")


def test_an_emulator_may_take_its_time_to_answer(emulator: Emulator) -> None:
    emulator.answers[INIT] = [(500, ""), (502, ""), localstack("SUCCESSFUL")]
    assert verdict(emulator.url)[0]


def test_an_emulator_that_never_answers_is_unhealthy(emulator: Emulator) -> None:
    url = emulator.url
    emulator.server_close()
    time = Time()
    healthy, reason = verdict(url, time)
    assert not healthy
    assert reason.startswith(f"{url} does not answer: ")
    assert healthcheck.SILENCE_SECONDS < time.now < healthcheck.SILENCE_SECONDS + 1


def test_hooks_may_take_longer_than_the_first_answer(emulator: Emulator) -> None:
    def meanwhile() -> None:
        time.now += healthcheck.SILENCE_SECONDS / 2

    running = localstack("RUNNING", ready=False)
    emulator.answers[INIT] = [running, running, running, localstack("SUCCESSFUL")]
    time = Time(meanwhile)
    assert verdict(emulator.url, time)[0]
    assert time.now > healthcheck.SILENCE_SECONDS


@pytest.mark.parametrize("answer", [NOT_FOUND, (200, "<html>"), (200, "{}")])
def test_another_server_is_unhealthy_at_once(emulator: Emulator, answer: Answer) -> None:
    emulator.answers[INIT] = emulator.answers[READY] = [answer]
    assert verdict(emulator.url) == (False, f"{emulator.url} is neither LocalStack nor MiniStack")


def test_the_health_check_does_not_use_a_proxy(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    emulator.answers[INIT] = [localstack("SUCCESSFUL")]
    assert verdict(emulator.url)[0]


@pytest.mark.parametrize(("state", "code"), [("SUCCESSFUL", 0), ("ERROR", 1)])
def test_the_health_is_a_line_and_an_exit_code(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], state: str, code: int
) -> None:
    emulator.answers[INIT] = [localstack(state)]
    assert healthcheck.main([emulator.url]) == code
    assert capsys.readouterr().out.count("\n") == 1
