"""The clients that resources of one stage share, each in a thread of its own."""

from __future__ import annotations

import boto3
import pytest
from botocore.client import BaseClient

from provisioner import Clients


def test_the_exceptions_of_a_client_are_made_before_any_thread_asks_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = boto3.Session("key", "secret", region_name="eu-west-1")
    clients = Clients.from_session(session)

    def too_late(client: BaseClient) -> None:
        raise AssertionError("made once more, by whoever asks first")

    monkeypatch.setattr(BaseClient, "_load_exceptions", too_late)
    for client in vars(clients).values():
        assert client.exceptions
