"""Brings pipes from the state that was asked for to the one it leads to, in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.resources import ResourceError
from eventbridge_pipes.runners import Runner
from eventbridge_pipes.runners.shard import StartError
from eventbridge_pipes.runners.stream import starting_position
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.store import Origin, StateError, Store

CHECK_RETRY_SECONDS = (0.1, 0.5, 2.0)
"""Pauses before a resource that could not be asked for is asked for again."""

RETRY_SECONDS = (0.2, 1.0, 5.0, 15.0)
"""Pauses while the state cannot be written or no thread can be started; the last one repeats."""

_FAILED = {
    State.CREATING: State.CREATE_FAILED,
    State.STARTING: State.START_FAILED,
    State.RUNNING: State.START_FAILED,
    State.UPDATING: State.UPDATE_FAILED,
    State.UPDATE_FAILED: State.START_FAILED,
}

_REASONS = {
    State.STARTING: "User initiated",
    State.STOPPING: "User initiated",
}
"""AWS's own texts, as they were captured; in a passing state a pipe keeps the reason before it."""

_OWN_FAULT = "Internal error of this service. See its log."


@dataclass(eq=False)
class Lifecycle:
    """Owns the runners of the pipes that run.

    `check` is that of `resources`; `runner_of` makes a runner, which is not started yet; `forget`
    is called for each deleted pipe.
    """

    store: Store
    check: Callable[[Pipe], float]
    runner_of: Callable[[Pipe, Origin], Runner]
    forget: Callable[[str], None]
    _running: dict[str, Runner] = field(default_factory=dict, init=False)
    _locks: dict[str, threading.Lock] = field(default_factory=dict, init=False)
    _settling: set[threading.Thread] = field(default_factory=set, init=False)
    _postponed: SimpleQueue[Pipe] = field(default_factory=SimpleQueue, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def resume(self) -> None:
        """Go on with every pipe where the last service left it."""
        threading.Thread(target=self._settle_postponed, name="lifecycle", daemon=True).start()
        for pipe in self.store.pipes():
            if pipe.runs or not pipe.current.settled:
                self.settle(pipe)

    def settle(self, pipe: Pipe) -> None:
        """Start to bring `pipe` out of its passing state, and return."""
        thread = threading.Thread(
            target=self._settle, args=(pipe.arn,), name=f"settle {pipe.name}", daemon=True
        )
        self._settling.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            self._settling.discard(thread)
            PipeLog(pipe.arn).warning("%s: trying again", error)
            self._postponed.put(pipe)

    def stop(self, grace: float) -> bool:
        """Stop all pipes, their states kept; whether all work ended within `grace` seconds."""
        self._stopping.set()
        deadline = time.monotonic() + grace
        self._ask_to_stop()
        for thread in [*self._settling]:
            thread.join(max(0.0, deadline - time.monotonic()))
        runners = self._ask_to_stop()  # again, for one may just have started
        ended = [s.join(max(0.0, deadline - time.monotonic())) for s in runners]
        return all(ended) and not self._settling

    def _ask_to_stop(self) -> list[Runner]:
        runners = list(self._running.values())
        for runner in runners:
            runner.stop()
        return runners

    def _settle_postponed(self) -> None:
        while not self._stopping.is_set():
            pipe = self._postponed.get()
            self._stopping.wait(RETRY_SECONDS[0])
            self.settle(pipe)

    def _settle(self, arn: str) -> None:
        """Try until the pipe is where its state leads, or the service ends."""
        lock = self._locks.setdefault(arn, threading.Lock())
        pauses = iter(RETRY_SECONDS)
        pause = 0.0
        try:
            while not self._stopping.wait(pause):
                pause = next(pauses, RETRY_SECONDS[-1])
                try:
                    with lock:
                        self._proceed(arn)
                    return
                except (StateError, StartError) as error:
                    PipeLog(arn).warning("%s: trying again in %g s", error, pause)
        finally:
            self._settling.discard(threading.current_thread())

    def _proceed(self, arn: str) -> None:
        """Do once what the stored state of the pipe calls for. Doing it again does no harm."""
        pipe = self.store.pipe(arn)
        if pipe is None:
            return
        log = PipeLog(arn)
        try:
            if pipe.runs and arn not in self._running:
                self._run(pipe)
            self._leave_state(pipe)
        except (ResourceError, SourceError) as error:
            if self._stopping.is_set():
                return  # the next service asks again
            log.error("%s: %s", _FAILED[pipe.current], error)
            self._fail(pipe, str(error))
        except (StateError, StartError):
            raise
        except Exception:
            log.exception("cannot leave the state %s", pipe.current)
            self._fail(pipe, _OWN_FAULT)

    def _leave_state(self, pipe: Pipe) -> None:
        match pipe.current:
            case State.DELETING:
                self._halt(pipe.arn)
                # First, for the name is free to be used again once the pipe is deleted.
                self.forget(pipe.arn)
                self.store.delete(pipe.arn)
                PipeLog(pipe.arn).info("deleted")
            case State.STOPPING:
                self._halt(pipe.arn)
                self.store.complete(pipe.arn, State.STOPPED, reason_of(pipe))
            case State.CREATING | State.STARTING:
                self._halt(pipe.arn)
                self._activate(pipe, reason_of(pipe))
            case State.UPDATING:
                self._activate(pipe.updated, reason_of(pipe))

    def _fail(self, pipe: Pipe, reason: str) -> None:
        """A failed update leaves the pipe as it was before, and running if it was running."""
        failed = _FAILED.get(pipe.current, State.STOPPED)
        self.store.change(pipe.arn, current=failed, reason=reason, update=None)
        self._proceed(pipe.arn)

    def _activate(self, pipe: Pipe, reason: str) -> None:
        """Once everything that `pipe` connects is there, replace what runs so far by `pipe`."""
        stream_created = self._check_with_retries(pipe)
        if pipe.desired is State.RUNNING and not self.store.origin(pipe.arn):
            origin = Origin(stream_created, starting_position(pipe))
            self.store.set_origin(pipe.arn, origin)
        self._halt(pipe.arn)
        if pipe.desired is State.RUNNING:
            self._run(pipe)
        try:
            self.store.complete(pipe.arn, pipe.desired, reason)
        except StateError:
            self._halt(pipe.arn)  # what runs is always what is stored
            raise

    def _check_with_retries(self, pipe: Pipe) -> float:
        """See `resources.check`; a service that does not answer is asked again for some seconds."""
        for pause in CHECK_RETRY_SECONDS:
            try:
                return self.check(pipe)
            except ResourceError as error:
                if not error.passing or self._stopping.wait(pause):
                    raise
        return self.check(pipe)

    def _run(self, pipe: Pipe) -> None:
        origin = self.store.origin(pipe.arn)
        if self._stopping.is_set() or not origin:
            return
        try:
            runner = self.runner_of(pipe, origin)
            runner.start()
        except RuntimeError as error:
            raise StartError(str(error)) from error
        self._running[pipe.arn] = runner

    def _halt(self, arn: str) -> None:
        runner = self._running.pop(arn, None)
        if runner:
            runner.stop()
            runner.join()


def reason_of(pipe: Pipe) -> str:
    """Return the reason of the state that follows the passing state of `pipe`."""
    if pipe.current is State.UPDATING and pipe.kept_running:
        return "Async workflow completed without requiring PJD update"
    return _REASONS.get(pipe.current, "USER_INITIATED")
