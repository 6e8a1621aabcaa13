"""Fixtures that more than one tier uses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from inventory_cli.embedded import ministack
from inventory_cli.embedded.processes import free_port

AwsClient = Callable[[str], Any]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of a MiniStack that lives as long as the test run."""
    port = free_port()
    server = ministack.start(port, tmp_path_factory.mktemp("ministack"), os.environ)
    try:
        server.wait_until(lambda: ministack.ready(port), timeout=30)
        yield ministack.url(port)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def aws(emulator: str) -> AwsClient:
    """`aws("kinesis")` is the boto3 client of the emulator; the environment is left alone."""
    session = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=ministack.REGION
    )

    @cache
    def client(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=emulator,
            config=Config(retries={"mode": "standard"}),
        )

    return client
