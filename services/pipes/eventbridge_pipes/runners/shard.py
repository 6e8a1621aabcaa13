"""Works on one shard: a thread that reads it, and a thread for each lane that delivers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from eventbridge_pipes.execution.delivery import Delivery
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.buffer import RecordBuffer
from eventbridge_pipes.runners.checkpoint import ShardCheckpoint
from eventbridge_pipes.runners.reader import ShardReader
from eventbridge_pipes.sources.source import PositionLostError
from eventbridge_pipes.telemetry.metrics import PipeTelemetry


class End(StrEnum):
    """How the work on a shard ended, as the log tells it."""

    FINISHED = "closed and read to its end"
    GONE = "no longer in the stream; everything read from it is processed"
    STOPPED = "stopped"
    # The stream does not know the position: it is for the supervisor to find another.
    POSITION_LOST = (
        "the stream does not have the checkpoint: reading from the pipe's starting position"
    )
    CRASHED = "failed; starting over from the last checkpoint"


class Lane:
    """Delivers what comes into its buffer, batch after batch."""

    def __init__(self, buffer: RecordBuffer, delivery: Delivery) -> None:
        self.buffer = buffer
        self._delivery = delivery

    def run(self, done: Callable[[Sequence[Record]], None]) -> None:
        """Until the buffer ends or the pipe stops; `done` is told of each batch."""
        while batch := self.buffer.take():
            if not self._delivery.deliver(batch):
                return
            done(batch)


class ShardWorker:
    """Moves the records of one shard from its reader through its lanes."""

    def __init__(
        self,
        shard_id: str,
        reader: ShardReader,
        lanes: Sequence[Lane],
        checkpoint: ShardCheckpoint,
        stop_reading: threading.Event,
        stop: threading.Event,
        ended: Callable[[], None],
        log: PipeLog,
        telemetry: PipeTelemetry,
    ) -> None:
        self.shard_id = shard_id
        self.end: End | None = None
        self._reader = reader
        self._lanes = lanes
        self._checkpoint = checkpoint
        self._stop_reading = stop_reading
        self._stop = stop
        self._ended = ended
        self._log = log
        self._telemetry = telemetry
        self._trouble: End | None = None
        self._threads = [
            threading.Thread(
                target=self._deliver, args=(lane,), name=f"deliver {shard_id}/{i}", daemon=True
            )
            for i, lane in enumerate(lanes)
        ]
        self._reading = threading.Thread(target=self._work, name=f"read {shard_id}", daemon=True)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self._reading.start()

    def stop(self) -> None:
        """Ask it to stop: the calls that are under way are the last ones. Returns at once."""
        self._stop.set()
        self._stop_reading.set()
        for lane in self._lanes:
            lane.buffer.stop()

    def drain(self) -> None:
        """Ask it to read no more, and to finish what is read. Returns at once."""
        self._stop_reading.set()

    def join(self, timeout: float | None = None) -> bool:
        """Whether the work has ended within `timeout` seconds."""
        self._reading.join(timeout)
        return not self._reading.is_alive()

    def lag(self) -> float:
        """How far behind the shard this is, in seconds.

        That is the age of the oldest record that is not done with; what was not read may be as
        old as the last moment at which there was nothing more to read.
        """
        arrival = self._checkpoint.oldest_arrival
        age = time.time() - arrival if arrival is not None else 0.0
        return max(age, self._reader.unread_for)

    def _work(self) -> None:
        self._telemetry.shard_begun(self.shard_id, self.lag)
        read_to_end = self._read()
        for lane in self._lanes:
            lane.buffer.end()
        for thread in self._threads:
            thread.join()
        if read_to_end and not self._trouble and not self._stop.is_set():
            self._finish()
        self._telemetry.shard_ended(self.shard_id)
        self.end = self._how_it_ended(read_to_end)
        self._ended()

    def _read(self) -> bool:
        """Whether the shard is closed and read to its end."""
        try:
            return self._reader.run()
        except PositionLostError as error:
            self._log.warning("shard %s: %s", self.shard_id, error)
            self._trouble = End.POSITION_LOST
        except Exception:
            self._log.exception("reading shard %s failed", self.shard_id)
            self._fail()
        return False

    def _finish(self) -> None:
        try:
            self._checkpoint.finish()
        except Exception:
            self._log.exception("cannot store that shard %s is finished", self.shard_id)
            self._fail()

    def _deliver(self, lane: Lane) -> None:
        try:
            lane.run(self._checkpoint.done)
        except Exception:
            self._log.exception("working on shard %s failed", self.shard_id)
            self._fail()

    def _fail(self) -> None:
        self._trouble = End.CRASHED
        self.stop()

    def _how_it_ended(self, read_to_end: bool) -> End:
        if self._trouble:
            return self._trouble
        if self._stop.is_set():
            return End.STOPPED
        return End.FINISHED if read_to_end else End.GONE
