"""Callers of several accounts and Regions on one service, as their signatures name them."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from eventbridge_pipes.arn import Scope
from pipes_scopes import SCOPES, QueuePipe, assert_each_scope_has_its_own, queue_pipes
from pipes_service import PipesProcess, in_state, pipes_process
from waiting import eventually


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("accounts") / "state") as process:
        yield process


def test_each_account_and_region_has_its_own_pipes_of_one_name(
    emulator: str, pipes: PipesProcess
) -> None:
    assert_each_scope_has_its_own(emulator, pipes.url)


def log_has(pipes: PipesProcess, line: str) -> None:
    eventually(lambda: line in pipes.log.read_text())


def test_the_log_and_the_metrics_tell_pipes_of_one_name_apart(
    emulator: str, pipes: PipesProcess
) -> None:
    with queue_pipes(emulator, pipes.url, "same-name"):
        for scope in SCOPES:
            log_has(pipes, f"same-name in {scope.region} of {scope.account}: started")
        with urllib.request.urlopen(f"{pipes.url}/metrics") as answer:  # noqa: S310
            told = answer.read().decode()
    series = re.findall(r'pipes_pipe_state\{account="(.*?)",pipe="same-name",region="(.*?)"', told)
    assert sorted(series) == sorted(map(tuple, SCOPES))


def ask(url: str, region: str) -> dict[str, object]:
    credential = f"Credential=test/20260101/{region}/pipes/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}
    request = urllib.request.Request(f"{url}/v1/pipes", headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return {"status": answer.status, **json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, **json.load(error)}


@pytest.mark.parametrize("region", ["EU", "..", "a@b", "x" * 64])
def test_a_signature_without_a_region_is_refused(pipes: PipesProcess, region: str) -> None:
    told = "Credential should be scoped to a valid Region."
    assert ask(pipes.url, region) == {"status": 403, "message": told}


def test_a_request_without_a_signature_is_of_the_services_own_account_and_region(
    emulator: str, pipes: PipesProcess
) -> None:
    home = QueuePipe(Scope("000000000000", "us-east-1"), emulator, pipes.url)
    arn = home.create("at-home")
    with urllib.request.urlopen(f"{pipes.url}/v1/pipes") as answer:  # noqa: S310
        unsigned = json.load(answer)
    assert [pipe["Arn"] for pipe in unsigned["Pipes"]] == [arn]
    in_state(home.pipes, "at-home", "RUNNING")
    home.pipes.delete_pipe(Name="at-home")
