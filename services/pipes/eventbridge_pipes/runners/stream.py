"""A running pipe whose source is a stream: finds the shards, and has each read in its turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from enum import StrEnum
from functools import partial

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import LATEST, OLDEST, Position, Record, Shard
from eventbridge_pipes.runners.backlog import Backlog, Progress
from eventbridge_pipes.runners.reader import ShardReader, Shared
from eventbridge_pipes.sources.source import PositionLostError, SourceError
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


class StartError(Exception):
    """Threads cannot be started for now, for want of memory or by a limit of the system."""


class End(StrEnum):
    """How the work on a shard ended, as the log says it."""

    FINISHED = "closed and read to its end"
    GONE = "no longer in the stream; everything read from it is processed"
    STOPPED = "stopped"
    # The stream does not know the position: the runner of the stream finds another.
    POSITION_LOST = (
        "the stream does not have the checkpoint: reading from the pipe's starting position"
    )
    CRASHED = "failed; starting over from the last checkpoint"


class ShardRunner:
    """The threads of one shard: one that reads, and one for each lane that delivers.

    `end` says how the work ended, and is None before; the runner of the stream wakes up then.
    """

    def __init__(self, shared: Shared, shard_id: str, position: Position, iterator: str) -> None:
        pipe = shared.pipe
        store = partial(shared.store.advance, pipe.name, shard_id)
        self.shard_id = shard_id
        self.end: End | None = None
        self.progress = Progress(store, shard_id, shared.log)
        self._shared = shared
        self._stopping = threading.Event()
        self._failed_with: End | None = None
        self._backlog = Backlog(batch_rules(pipe), pipe.lanes)
        self._reader = ShardReader(shared, shard_id, position, iterator)
        self._lanes = [
            threading.Thread(
                target=self._deliver, args=(lane,), name=f"deliver {shard_id}/{lane}", daemon=True
            )
            for lane in range(pipe.lanes)
        ]
        self._reading = threading.Thread(target=self._run, name=f"read {shard_id}", daemon=True)

    def start(self) -> None:
        """Raises StartError when a thread cannot be started; those that run end at once."""
        try:
            for thread in [*self._lanes, self._reading]:
                thread.start()
        except RuntimeError as error:
            self.stop()
            raise StartError(f"cannot start the threads of {self.shard_id}: {error}") from error

    def stop(self) -> None:
        """Stop soon: batches that are at the target are the last. Returns at once."""
        self._stopping.set()
        self._reader.stop()
        self._backlog.stop()

    def drain(self) -> None:
        """Read no more, and finish what is read. Returns at once."""
        self._reader.stop()

    def join(self) -> None:
        """Wait until the work has ended."""
        self._reading.join()

    def lag(self) -> float:
        """How far the pipe is behind the shard, in seconds.

        That is the age of the oldest record that is not finished. A record that was not read may
        be as old as the last moment at which there was nothing more to read.
        """
        arrival = self.progress.oldest_arrival
        age = time.time() - arrival if arrival is not None else 0.0
        return max(age, self._reader.unread_for())

    def _run(self) -> None:
        self._shared.telemetry.shard_begun(self.shard_id, self.lag)
        end = End.GONE
        try:
            end = self._read()
        except PositionLostError as error:
            self._shared.log.warning("shard %s: %s", self.shard_id, error)
            self._failed_with = End.POSITION_LOST
        except Exception:
            self._crash("reading shard %s failed")
        self._backlog.end()
        for thread in self._lanes:
            thread.join()
        self._shared.telemetry.shard_ended(self.shard_id)
        self.end = self._failed_with or (End.STOPPED if self._stopping.is_set() else end)
        self._shared.wake.set()

    def _read(self) -> End:
        """Read until the shard is closed and read to its end, or reading is stopped."""
        while True:
            # To request more than there is room for would only keep the server from the calls for
            # the records that are under way.
            self._backlog.wait_for_room()
            if self._reader.stopping.is_set():
                return End.GONE
            page = self._reader.read()
            if page and page.records:
                self._take_in(page.records)
            if page and page.next_iterator is None:
                return End.FINISHED

    def _take_in(self, page: Sequence[Record]) -> None:
        """Filter a page and add it to the backlog. What is filtered out is finished."""
        self._shared.telemetry.read(len(page))
        kept = page
        if self._shared.filter:
            kept = [record for record in page if self._shared.filter.passes(record)]
        if len(kept) < len(page):
            self._shared.telemetry.filtered(len(page) - len(kept))
        self.progress.read(page, kept)
        self._backlog.put(kept)

    def _deliver(self, lane: int) -> None:
        try:
            delivery = self._shared.delivery(self.shard_id, self._stopping.wait)
            while batch := self._backlog.take(lane):
                if not delivery.deliver(batch):
                    return
                self.progress.done(batch)
        except Exception:
            self._crash("delivering records of shard %s failed")

    def _crash(self, message: str) -> None:
        self._shared.log.exception(message, self.shard_id)
        self._failed_with = End.CRASHED
        self.stop()


class StreamRunner:
    """One thread that looks after the shards. `origin` is where the pipe began."""

    discovery_seconds = 5.0
    """How often the runner lists the shards if nothing tells it to."""

    def __init__(self, shared: Shared, origin: Origin) -> None:
        self._shared = shared
        self._pipe = shared.pipe
        self._store = shared.store
        self._log = shared.log
        self._origin = origin
        self._runners: dict[str, ShardRunner] = {}
        self._latest: dict[str, str] = {}
        self._stopping = threading.Event()
        self._outages = 0
        self._restarts = 0
        name = f"pipe {shared.pipe.name}"
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
        self._shared.wake.set()

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
        now = self._shared.stream.now()
        shards = self._shared.stream.shards()
        self._latest = {s.id: self._shared.stream.shard(s.id).iterator(LATEST) for s in shards}
        origin = Origin(self._origin.stream_created, Position(at=now))
        self._store.begin(self._pipe.name, origin)
        self._origin = origin

    def _run(self) -> None:
        self._log.info("started: %s to %s", self._pipe.source, self._pipe.target)
        while not self._stopping.is_set():
            self._shared.wake.clear()
            if not self._shared.wake.wait(self._look()):
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
            if not self._shared.in_doubt or self._is_same_stream():
                self._shared.in_doubt = False
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
        self._shared.in_doubt = True
        self._outages += 1
        return growing_pause(self._outages)

    def _collect_ended(self) -> None:
        """Remove the runners that have ended; pause if one of them is to start over."""
        restarting = False
        for runner in list(self._runners.values()):
            runner.progress.save()
            if runner.end is None:
                continue
            if runner.end is End.FINISHED:
                self._store.finish(self._pipe.name, runner.shard_id)
            if runner.end is End.POSITION_LOST:
                self._shared.in_doubt = True
                self._store.forget(self._pipe.name, runner.shard_id)
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
        created = self._shared.stream.created()
        if self._origin.stream_created == created:
            return True
        for runner in self._runners.values():
            runner.drain()
        if self._runners:
            return False
        self._log.warning("the stream was created again: reading from the pipe's starting position")
        origin = Origin(created, self._origin.position)
        self._store.begin(self._pipe.name, origin)
        self._origin = origin
        self._latest = {}
        return True

    def _follow_shards(self) -> None:
        shards = self._shared.stream.shards()
        listed = {shard.id for shard in shards}
        for runner in self._runners.values():
            if runner.shard_id not in listed:
                runner.drain()
        checkpoints = self._store.checkpoints(self._pipe.name)
        finished = [shard_id for shard_id, point in checkpoints.items() if point.finished]
        for shard in shards_to_read(shards, finished, self._runners):
            self._begin_shard(shard.id, checkpoints.get(shard.id))
        self._store.keep_only(self._pipe.name, listed | self._runners.keys())

    def _begin_shard(self, shard_id: str, checkpoint: Checkpoint | None) -> None:
        position = self._origin.position
        iterator = self._latest.get(shard_id, "")
        if checkpoint and checkpoint.sequence_number:
            position, iterator = Position(after=checkpoint.sequence_number), ""
        start = LATEST if iterator else position
        self._log.info("reading shard %s from %s", shard_id, start)
        runner = ShardRunner(self._shared, shard_id, position, iterator)
        runner.start()
        self._runners[shard_id] = runner
        self._latest.pop(shard_id, None)
