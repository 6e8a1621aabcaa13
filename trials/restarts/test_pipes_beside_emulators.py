"""The Pipes service beside an emulator that restarts, and its example beside moto."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import boto3
from tests.integration import test_pipes_package as package

from embedded import ministack
from embedded.ports import free_port
from embedded.processes import Server, answers
from pipes_scopes import assert_each_scope_has_its_own
from pipes_service import Pipeline, in_state, pipes_process
from waiting import eventually

built, wheel, installed = package.built, package.wheel, package.installed


def settled(pipeline: Pipeline, count: int) -> list[str]:
    """What was delivered, once it is `count` records or more."""

    def enough() -> list[str]:
        found = pipeline.delivered()
        assert len(found) >= count, found
        return found

    return eventually(enough)


def test_an_emulator_that_restarts_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    session = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=ministack.REGION
    )

    def aws(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=ministack.url(port),
        )

    emulator = ministack.start(port, tmp_path / "ministack", os.environ)
    try:
        emulator.wait_until(lambda: ministack.ready(port), timeout=30)
        pipeline = Pipeline(aws, "restart")
        # On a slow machine there would be a line about metrics that could not be put, too.
        options = ["--metrics-interval", "0"]
        with pipes_process(ministack.url(port), tmp_path / "state", options=options) as pipes:
            pipeline.put("before")
            client = pipes.client()
            client.create_pipe(**pipeline.definition())
            in_state(client, pipeline.name, "RUNNING")
            settled(pipeline, 1)
            emulator.stop()
            eventually(lambda: ", retrying" in pipes.log.read_text())
            emulator = ministack.start(port, tmp_path / "ministack", os.environ)
            emulator.wait_until(lambda: ministack.ready(port), timeout=30)
            pipeline.put("after")
            assert settled(pipeline, 2) == ["before", "after"]
            assert pipes.log.read_text().count(", retrying") <= 2
    finally:
        emulator.stop()


def test_each_account_and_region_has_its_own_pipes_beside_moto(tmp_path: Path) -> None:
    """To moto, all of these callers are of one account: their queues are, not their pipes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    moto = Server.start("moto", command, os.environ, tmp_path / "moto.log")
    try:
        moto.wait_until(lambda: answers(f"{url}/moto-api/"), timeout=60)
        with pipes_process(url, tmp_path / "state") as pipes:
            assert_each_scope_has_its_own(url, pipes.url)
    finally:
        moto.stop()


def test_the_example_beside_moto_brings_the_paid_orders(installed: Path, tmp_path: Path) -> None:
    package.assert_example_brings_the_paid_orders(installed, tmp_path, "moto")
