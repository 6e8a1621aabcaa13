"""Takes pipes from the state that was asked for to the one it leads to, in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.resources import ResourceError, Resources
from eventbridge_pipes.runners.stream import starting_position
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.store import Origin, Store

PATIENCE_SECONDS = (0.1, 0.5, 2.0)
"""Pauses before a resource that could not be asked for is asked for again."""

_FAILED = {
    State.CREATING: State.CREATE_FAILED,
    State.STARTING: State.START_FAILED,
    State.UPDATING: State.UPDATE_FAILED,
}

_OWN_FAULT = "Internal error of this service. See its log."


class Supervisor(Protocol):
    """Runs one pipe, whatever its source is."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Ask the pipe to stop. Returns at once."""
        ...

    def join(self, timeout: float | None = None) -> bool:
        """Whether all work has ended within `timeout` seconds."""
        ...


class Lifecycle:
    """Owns the supervisors of the pipes that run; `forget` hears of each that is deleted.

    A pipe in a passing state accepts no other operation, so one thread at a time settles it.
    """

    def __init__(
        self,
        store: Store,
        resources: Resources,
        supervise: Callable[[Pipe, Origin], Supervisor],
        forget: Callable[[str], None],
    ) -> None:
        self._store = store
        self._resources = resources
        self._supervise = supervise
        self._forget = forget
        self._running: dict[str, Supervisor] = {}
        self._settling: set[threading.Thread] = set()
        self._stopping = threading.Event()

    def resume(self) -> None:
        """Go on with every pipe where the last service left it."""
        for pipe in self._store.pipes():
            origin = self._store.origin(pipe.name)
            if not pipe.current.settled:
                self.settle(pipe)
            elif pipe.current is State.RUNNING and origin:
                self._run_again(pipe, origin)

    def settle(self, pipe: Pipe) -> None:
        """Start to take `pipe` out of its passing state, and return."""
        thread = threading.Thread(
            target=self._settle, args=(pipe,), name=f"settle {pipe.name}", daemon=True
        )
        self._settling.add(thread)
        thread.start()

    def stop(self, grace: float) -> bool:
        """Stop all pipes, their states kept; whether all work ended within `grace` seconds."""
        self._stopping.set()
        deadline = time.monotonic() + grace
        supervisors = list(self._running.values())
        for supervisor in supervisors:
            supervisor.stop()
        for thread in [*self._settling]:
            thread.join(max(0.0, deadline - time.monotonic()))
        ended = [s.join(max(0.0, deadline - time.monotonic())) for s in supervisors]
        return all(ended) and not self._settling

    def _settle(self, pipe: Pipe) -> None:
        log = PipeLog(pipe.name)
        try:
            self._halt(pipe.name)
            match pipe.current:
                case State.DELETING:
                    # First, for the name is free to be used again once the pipe is deleted.
                    self._forget(pipe.name)
                    self._store.delete(pipe.name)
                    log.info("deleted")
                case State.STOPPING:
                    self._store.change(pipe.name, current=State.STOPPED)
                case _:
                    self._activate(pipe)
        except (ResourceError, SourceError) as error:
            if self._stopping.is_set():
                return  # the next service asks again
            log.error("%s: %s", _FAILED[pipe.current], error)
            self._store.change(pipe.name, current=_FAILED[pipe.current], reason=str(error))
        except Exception:
            log.exception("cannot leave the state %s", pipe.current)
            failed = _FAILED.get(pipe.current, State.STOPPED)
            self._store.change(pipe.name, current=failed, reason=_OWN_FAULT)
        finally:
            self._settling.discard(threading.current_thread())

    def _activate(self, pipe: Pipe) -> None:
        stream_created = self._check(pipe)
        if pipe.desired is State.STOPPED:
            self._store.change(pipe.name, current=State.STOPPED)
            return
        origin = self._store.origin(pipe.name)
        if origin is None:
            origin = Origin(stream_created, starting_position(pipe))
            self._store.begin(pipe.name, origin)
        self._run(pipe, origin)
        self._store.change(pipe.name, current=State.RUNNING)

    def _check(self, pipe: Pipe) -> float:
        """See Resources.check; a service that does not answer is asked again for some seconds."""
        for pause in PATIENCE_SECONDS:
            try:
                return self._resources.check(pipe)
            except ResourceError as error:
                if not error.passing or self._stopping.wait(pause):
                    raise
        return self._resources.check(pipe)

    def _run(self, pipe: Pipe, origin: Origin) -> None:
        if self._stopping.is_set():
            return
        supervisor = self._supervise(pipe, origin)
        self._running[pipe.name] = supervisor
        supervisor.start()

    def _run_again(self, pipe: Pipe, origin: Origin) -> None:
        """What an earlier version of this service stored may not suit this one."""
        try:
            self._run(pipe, origin)
        except Exception:
            PipeLog(pipe.name).exception("could not be run again")
            self._store.change(pipe.name, current=State.START_FAILED, reason=_OWN_FAULT)

    def _halt(self, name: str) -> None:
        supervisor = self._running.pop(name, None)
        if supervisor:
            supervisor.stop()
            supervisor.join()
