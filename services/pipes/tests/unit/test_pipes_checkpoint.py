"""The position of a shard while it cannot be written down."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.runners.checkpoint import ShardCheckpoint
from eventbridge_pipes.store import StateError
from pipes_samples import record


class Disk:
    """Has the face of the store; `full` is whether nothing can be written."""

    def __init__(self) -> None:
        self.full = False
        self.written: list[str] = []

    def advance(self, pipe: str, shard: str, sequence_number: str) -> None:
        if self.full:
            raise StateError("database or disk is full")
        self.written.append(sequence_number)


def test_records_go_on_and_the_position_follows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    disk: Any = Disk()
    checkpoint = ShardCheckpoint(disk, "pipe", "shard", PipeLog("pipe"))
    records = [record(number) for number in range(4)]
    checkpoint.read(records, records)
    checkpoint.done(records[:1])
    disk.full = True
    checkpoint.done(records[1:2])
    checkpoint.done(records[2:3])
    assert disk.written == [records[0].sequence_number]
    disk.full = False
    checkpoint.done(records[3:])
    assert disk.written == [records[0].sequence_number, records[3].sequence_number]
    told = [logged.getMessage() for logged in caplog.records]
    assert len(told) == 2, "one line when it begins, one when it ends"
    assert "cannot store checkpoints of shard shard" in told[0]
    assert "database or disk is full" in told[0]
    assert "storing checkpoints of shard shard again" in told[1]
