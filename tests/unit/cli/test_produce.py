"""`inventory produce`: the producer's command on the target."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import producer.app
from inventory_cli.cli import cli
from inventory_cli.commands import produce
from producer.settings import Settings


@pytest.mark.parametrize(
    ("options", "stream"),
    [([], "dev-realtimeInventoryProcessing"), (["--stream", "orders"], "orders")],
)
def test_the_stream_is_that_of_the_stack_that_runs(
    monkeypatch: pytest.MonkeyPatch, options: list[str], stream: str
) -> None:
    """`STAGE=dev inventory up` in one shell, `inventory produce` in another without STAGE."""
    runs: list[Settings] = []

    def enter(state: Path) -> None:
        os.environ["STAGE"] = "dev"  # of the stack, as `inventory env` would print it

    monkeypatch.delenv("STREAM_NAME", raising=False)
    monkeypatch.setattr(produce, "enter_target", enter)
    monkeypatch.setattr(producer.app, "run", runs.append)
    with monkeypatch.context() as patch:
        patch.setenv("STAGE", "")
        assert CliRunner().invoke(cli, ["produce", *options]).exit_code == 0
    assert [run.stream for run in runs] == [stream]
