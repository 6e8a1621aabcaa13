"""What is between the reader of a shard and its lanes: filters, and the way to the right lane."""

from __future__ import annotations

from collections.abc import Sequence

from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.buffer import RecordBuffer
from eventbridge_pipes.runners.checkpoint import ShardCheckpoint
from eventbridge_pipes.runners.lanes import by_lane
from eventbridge_pipes.telemetry.metrics import PipeTelemetry


class Intake:
    """Takes the pages of one shard in. What the filters leave out counts as done."""

    def __init__(
        self,
        filter_: Filter,
        lanes: Sequence[RecordBuffer],
        checkpoint: ShardCheckpoint,
        telemetry: PipeTelemetry,
    ) -> None:
        self._filter = filter_
        self._lanes = lanes
        self._checkpoint = checkpoint
        self._telemetry = telemetry

    def wait_for_room(self) -> None:
        """Return once every lane has room, or the lanes have stopped."""
        for lane in self._lanes:
            lane.wait_for_room()

    def put(self, page: Sequence[Record]) -> None:
        self._telemetry.read(len(page))
        kept = self._filtered(page)
        self._checkpoint.read(page, kept)
        for lane, share in zip(self._lanes, by_lane(kept, len(self._lanes)), strict=True):
            if share:
                lane.put(share)

    def _filtered(self, page: Sequence[Record]) -> Sequence[Record]:
        if not self._filter:
            return page
        kept = [r for r in page if self._filter.passes(r)]
        if len(kept) < len(page):
            self._telemetry.filtered(len(page) - len(kept))
        return kept
