"""A running pipe whose source is a stream: finds the shards, and has each read in its turn."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import LATEST, OLDEST, Position, Shard
from eventbridge_pipes.runners.shard import End, ShardContext, ShardRunner, StartError
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.store import Checkpoint, Origin, StateError

LATEST_TRIES = 4


def starting_position(pipe: Pipe) -> Position:
    """Where a new pipe starts to read. A queue has no positions: every message is due."""
    match pipe.stream_parameters.get("StartingPosition"):
        case "LATEST":
            return LATEST
        case "AT_TIMESTAMP":
            return Position(at=pipe.stream_parameters["StartingPositionTimestamp"])
    return OLDEST


def shards_to_read(
    shards: Sequence[Shard], finished: Collection[str], reading: Collection[str]
) -> list[Shard]:
    """Return the shards to start: neither finished nor being read, and their parents finished.

    A parent that the stream no longer lists is past its retention, and counts as finished unless
    it is still being read: its records go first, so that the order of each partition key holds
    across a reshard.
    """
    unread = {shard.id for shard in shards} - set(finished)
    waiting_for = unread | set(reading)
    return [
        shard
        for shard in shards
        if shard.id in unread and shard.id not in reading and waiting_for.isdisjoint(shard.parents)
    ]


class StreamRunner:
    """One thread that looks after the shards. `origin` is where the pipe began."""

    discovery_seconds = 5.0
    """How often the runner lists the shards if nothing tells it to."""

    def __init__(self, context: ShardContext, origin: Origin) -> None:
        self._context = context
        self._pipe = context.pipe
        self._store = context.store
        self._log = context.log
        self._origin = origin
        self._runners: dict[str, ShardRunner] = {}
        self._latest: dict[str, str] = {}
        self._stopping = threading.Event()
        self._outages = 0
        self._restarts = 0
        name = f"pipe {context.pipe.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the pipe; LATEST is the moment before this returns.

        Raises SourceError, StateError, or RuntimeError if a thread cannot be started. Then nothing
        runs.
        """
        tries = 0
        while self._origin.position.latest:
            try:
                self._fix_latest()
            except SourceError:
                tries += 1
                if tries == LATEST_TRIES or self._stopping.wait(growing_pause(tries)):
                    raise
        self._thread.start()

    def stop(self) -> None:
        """Ask the pipe to stop: batches that are at the target are the last. Returns at once."""
        self._stopping.set()
        self._context.wake.set()

    def join(self, timeout: float | None = None) -> bool:
        """Whether all work has ended within `timeout` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _fix_latest(self) -> None:
        """Get an iterator of each shard for what comes from now on, and store the time.

        The time is that of the source's clock, by which it dates its records. It counts for shards
        that appear later, and after a restart for those that have no checkpoint.
        """
        now = self._context.stream.now()
        shards = self._context.stream.shards()
        self._latest = {s.id: self._context.stream.shard(s.id).iterator(LATEST) for s in shards}
        origin = Origin(self._origin.stream_created, Position(at=now))
        self._store.set_origin(self._pipe.arn, origin)
        self._origin = origin

    def _run(self) -> None:
        self._log.info("started: %s to %s", self._pipe.source, self._pipe.target)
        while not self._stopping.is_set():
            self._context.wake.clear()
            if not self._context.wake.wait(self._look()):
                self._restarts = 0
        for runner in self._runners.values():
            runner.stop()
        for runner in self._runners.values():
            runner.join()
        try:
            self._collect_ended()
        except StateError as error:
            self._log.error("cannot store the last checkpoints: %s", error)
        self._log.info("stopped")

    def _look(self) -> float:
        """Bring the shards' runners in line with the stream; seconds until the next look."""
        try:
            self._collect_ended()
            if not self._context.must_check_stream or self._is_same_stream():
                self._context.must_check_stream = False
                self._follow_shards()
        except (SourceError, StateError, StartError) as error:
            if not self._outages:
                cause = (
                    "describe the stream" if isinstance(error, SourceError) else "follow the shards"
                )
                self._log.warning("cannot %s, retrying: %s", cause, error)
        except Exception:
            self._log.exception("following the shards failed, retrying")
        else:
            self._outages = 0
            return self.discovery_seconds
        self._context.must_check_stream = True
        self._outages += 1
        return growing_pause(self._outages)

    def _collect_ended(self) -> None:
        """Remove the runners that have ended; pause if one of them is to start over."""
        restarting = False
        for runner in self._runners.values():
            runner.progress.save()
        for runner in list(self._runners.values()):
            if runner.end is None:
                continue
            if runner.end is End.FINISHED:
                self._store.finish(self._pipe.arn, runner.shard_id)
            if runner.end is End.POSITION_LOST:
                self._context.must_check_stream = True
                self._store.forget(self._pipe.arn, runner.shard_id)
            # A runner stays until this is stored: it is tried again at the next look.
            del self._runners[runner.shard_id]
            self._log.info("shard %s: %s", runner.shard_id, runner.end)
            restarting |= runner.end in (End.POSITION_LOST, End.CRASHED)
        if restarting:
            self._restarts += 1
            self._stopping.wait(growing_pause(self._restarts))

    def _is_same_stream(self) -> bool:
        """Whether the positions are of this stream, which may have been created again.

        Records of the stream before are delivered first; the end of a runner wakes this one.
        """
        created = self._context.stream.created()
        if self._origin.stream_created == created:
            return True
        for runner in self._runners.values():
            runner.drain()
        if self._runners:
            return False
        self._log.warning("the stream was created again: reading from the pipe's starting position")
        origin = Origin(created, self._origin.position)
        self._store.set_origin(self._pipe.arn, origin)
        self._origin = origin
        self._latest = {}
        return True

    def _follow_shards(self) -> None:
        shards = self._context.stream.shards()
        listed = {shard.id for shard in shards}
        for runner in self._runners.values():
            if runner.shard_id not in listed:
                runner.drain()
        checkpoints = self._store.checkpoints(self._pipe.arn)
        finished = [shard_id for shard_id, point in checkpoints.items() if point.finished]
        for shard in shards_to_read(shards, finished, self._runners):
            self._begin_shard(shard.id, checkpoints.get(shard.id))
        self._store.keep_only(self._pipe.arn, listed | self._runners.keys())

    def _begin_shard(self, shard_id: str, checkpoint: Checkpoint | None) -> None:
        position = self._origin.position
        iterator = self._latest.get(shard_id, "")
        if checkpoint and checkpoint.sequence_number:
            position, iterator = Position(after=checkpoint.sequence_number), ""
        start = LATEST if iterator else position
        self._log.info("reading shard %s from %s", shard_id, start)
        runner = ShardRunner(self._context, shard_id, position, iterator)
        runner.start()
        self._runners[shard_id] = runner
        self._latest.pop(shard_id, None)
