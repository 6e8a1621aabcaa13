"""A running pipe: finds the shards of its stream and has each worked on, in the right order."""

from __future__ import annotations

import threading
from collections.abc import Callable

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.position import Position
from eventbridge_pipes.runners.shard import End, ShardWorker
from eventbridge_pipes.runners.shards import shards_to_read
from eventbridge_pipes.sources.source import SourceError, Stream
from eventbridge_pipes.store import Checkpoint, Origin, Store

DISCOVERY_SECONDS = 5.0
"""How often the stream is asked for shards that nothing announced."""

MakeWorker = Callable[[str, Position, Callable[[], None], Callable[[], None]], ShardWorker]
"""Makes the worker of a shard from its id, its position, and whom to call when it has ended and
when the stream may not be the one it was."""


class Supervisor:
    """One thread a pipe; `origin` is where the pipe began, as the store has it."""

    def __init__(
        self,
        pipe: Pipe,
        origin: Origin,
        stream: Stream,
        store: Store,
        make_worker: MakeWorker,
        discovery: float = DISCOVERY_SECONDS,
    ) -> None:
        self._pipe = pipe
        self._origin = origin
        self._stream = stream
        self._store = store
        self._make_worker = make_worker
        self._discovery = discovery
        self._log = PipeLog(pipe.name)
        self._workers: dict[str, ShardWorker] = {}
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._in_doubt = True
        self._outages = 0
        self._restarts = 0
        self._thread = threading.Thread(target=self._run, name=f"pipe {pipe.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the pipe to stop: batches that are at the target are the last. Returns at once."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout: float | None = None) -> bool:
        """Whether all work has ended within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._log.info("started: %s to %s", self._pipe.source, self._pipe.target)
        while not self._stopping.is_set():
            self._wake.clear()
            if not self._wake.wait(self._look()):
                self._restarts = 0
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.join()
        self._log.info("stopped")

    def _look(self) -> float:
        """Bring the workers in line with the stream; seconds until the next look."""
        try:
            self._collect_ended()
            if not self._in_doubt or self._is_same_stream():
                self._in_doubt = False
                self._follow_shards()
        except SourceError as error:
            if not self._outages:
                self._log.warning("cannot describe the stream, retrying: %s", error)
        except Exception:
            self._log.exception("following the shards failed, retrying")
        else:
            self._outages = 0
            return self._discovery
        self._in_doubt = True
        self._outages += 1
        return growing_pause(self._outages)

    def _collect_ended(self) -> None:
        """Let go of the workers that have ended; rest a while if any of them is to start over."""
        ended = [worker for worker in self._workers.values() if worker.end is not None]
        for worker in ended:
            del self._workers[worker.shard_id]
            self._log.info("shard %s: %s", worker.shard_id, worker.end)
            if worker.end is End.POSITION_LOST:
                self._in_doubt = True
                self._store.forget(self._pipe.name, worker.shard_id)
        if any(worker.end in (End.POSITION_LOST, End.CRASHED) for worker in ended):
            self._restarts += 1
            self._stopping.wait(growing_pause(self._restarts))

    def _is_same_stream(self) -> bool:
        """Whether the positions are of this stream, once they are: it may have been made again.

        What was read of the stream before is finished first; the end of a worker wakes this one.
        """
        created = self._stream.created()
        if self._origin.stream_created == created:
            return True
        for worker in self._workers.values():
            worker.drain()
        if self._workers:
            return False
        self._log.warning("the stream was created again: reading from the pipe's starting position")
        self._origin = Origin(created, self._origin.position)
        self._store.begin(self._pipe.name, self._origin)
        return True

    def _follow_shards(self) -> None:
        shards = self._stream.shards()
        listed = {shard.id for shard in shards}
        for worker in self._workers.values():
            if worker.shard_id not in listed:
                worker.drain()
        checkpoints = self._store.checkpoints(self._pipe.name)
        finished = [shard_id for shard_id, point in checkpoints.items() if point.finished]
        for shard in shards_to_read(shards, finished, self._workers):
            self._begin_shard(shard.id, checkpoints.get(shard.id))

    def _begin_shard(self, shard_id: str, checkpoint: Checkpoint | None) -> None:
        position = self._origin.position
        if checkpoint and checkpoint.sequence_number:
            position = Position(after=checkpoint.sequence_number)
        self._log.info("reading shard %s from %s", shard_id, position)
        worker = self._make_worker(shard_id, position, self._wake.set, self._doubt)
        self._workers[shard_id] = worker
        worker.start()

    def _doubt(self) -> None:
        self._in_doubt = True
        self._wake.set()
