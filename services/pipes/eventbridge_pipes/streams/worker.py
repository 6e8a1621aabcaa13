"""One shard at work: a thread that reads ahead, and one that delivers and keeps the position."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

from eventbridge_pipes.delivery.delivery import Delivery
from eventbridge_pipes.logs import PipeLog
from eventbridge_pipes.sources.stream import PositionLostError
from eventbridge_pipes.store import Store
from eventbridge_pipes.streams.buffer import RecordBuffer
from eventbridge_pipes.streams.reader import ShardReader


class End(StrEnum):
    """How the work on a shard ended, as the log tells it."""

    FINISHED = "closed, and done with to its end"
    GONE = "no longer in the stream; what was read of it is done with"
    STOPPED = "stopped"
    # The stream does not know the position: it is for the supervisor to find another.
    POSITION_LOST = "position unknown to the stream; starting from where the pipe began"
    CRASHED = "failed; starting over from the last position"


class ShardWorker:
    """Moves the records of one shard. The position moves on when a whole batch is done with."""

    def __init__(
        self,
        pipe: str,
        shard_id: str,
        reader: ShardReader,
        buffer: RecordBuffer,
        delivery: Delivery,
        store: Store,
        stop_reading: threading.Event,
        stop: threading.Event,
        ended: Callable[[], None],
        log: PipeLog,
    ) -> None:
        self.shard_id = shard_id
        self.end: End | None = None
        self._pipe = pipe
        self._reader = reader
        self._buffer = buffer
        self._delivery = delivery
        self._store = store
        self._stop_reading = stop_reading
        self._stop = stop
        self._ended = ended
        self._log = log
        self._trouble: End | None = None
        self._read_to_end = False
        self._reading = threading.Thread(target=self._read, name=f"read {shard_id}", daemon=True)
        self._working = threading.Thread(target=self._work, name=f"work {shard_id}", daemon=True)

    def start(self) -> None:
        self._reading.start()
        self._working.start()

    def stop(self) -> None:
        """Ask it to stop: the call that is under way is the last one. Returns at once."""
        self._stop.set()
        self._stop_reading.set()
        self._buffer.stop()

    def drain(self) -> None:
        """Ask it to read no more, and to finish what is read. Returns at once."""
        self._stop_reading.set()

    def join(self, timeout: float | None = None) -> bool:
        """Whether the work has ended within `timeout` seconds."""
        self._working.join(timeout)
        return not self._working.is_alive()

    def _read(self) -> None:
        try:
            self._read_to_end = self._reader.run()
            self._buffer.end()
        except PositionLostError as error:
            self._log.warning("shard %s: %s", self.shard_id, error)
            self._trouble = End.POSITION_LOST
            self._buffer.end()
        except Exception:
            self._log.exception("reading shard %s failed", self.shard_id)
            self._fail(End.CRASHED)

    def _work(self) -> None:
        try:
            while batch := self._buffer.take():
                if not self._delivery.deliver(batch):
                    break
                self._store.advance(self._pipe, self.shard_id, batch[-1].sequence_number)
            self._reading.join()
            if self._read_to_end and not self._stop.is_set():
                self._store.finish(self._pipe, self.shard_id)
        except Exception:
            self._log.exception("working on shard %s failed", self.shard_id)
            self._fail(End.CRASHED)
        self.end = self._how_it_ended()
        self._ended()

    def _fail(self, how: End) -> None:
        self._trouble = how
        self.stop()

    def _how_it_ended(self) -> End:
        if self._trouble:
            return self._trouble
        if self._stop.is_set():
            return End.STOPPED
        return End.FINISHED if self._read_to_end else End.GONE
