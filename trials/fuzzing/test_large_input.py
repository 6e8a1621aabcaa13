"""Large input, end to end: a mebibyte in one record, ten thousand records in one batch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.end_to_end.test_bad_input import (
    added,
    assert_ends_as_the_fold,
    assert_shown_safely,
    put_all,
    run,
)

from fuzzing import tries
from hostile_events import ONE_MEBIBYTE, PAYLOADS
from stack import Stack


@pytest.fixture(autouse=True)
def _follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of `stack` lead to its servers, as those of an account would."""
    monkeypatch.setenv("TARGET", "aws")


@pytest.mark.hypothesis  # which `make fuzz` goes by
def test_arbitrary_payloads_up_to_a_mebibyte_are_applied_or_rejected(stack: Stack) -> None:
    payloads: list[bytes] = [*ONE_MEBIBYTE]

    @tries(120)
    @given(PAYLOADS)
    def collect(payload: bytes) -> None:
        if len(payload) < 2**19 and payload:
            payloads.append(payload)

    collect()
    assert_ends_as_the_fold(stack, put_all(stack, payloads))
    assert_shown_safely("rejected")


def test_ten_thousand_tiny_records_are_taken_in_one_batch(stack: Stack) -> None:
    pipes = stack.client("pipes")
    pipe = pipes.describe_pipe(Name=stack.names.pipe)
    parameters: Any = pipe["SourceParameters"]["KinesisStreamParameters"]
    del parameters["StartingPosition"]  # it cannot be changed
    large = {"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 0}
    pipes.stop_pipe(Name=stack.names.pipe)
    stack.await_pipe("STOPPED")
    pipes.update_pipe(
        Name=stack.names.pipe,
        RoleArn=pipe["RoleArn"],
        DesiredState="STOPPED",
        SourceParameters={"KinesisStreamParameters": parameters | large},
    )
    stack.await_pipe("STOPPED")
    placed = stack.put(("P1", added("P1", quantity=n)) for n in range(10_000))
    pipes.start_pipe(Name=stack.names.pipe)
    stack.await_handled(placed)
    sizes: list[int] = []
    stack.log.on_batch = lambda batch: sizes.append(batch["records"])
    assert {row.quantity for row in stack.rows().values()} == {9_999}
    assert "Success: " in run("verify").output
