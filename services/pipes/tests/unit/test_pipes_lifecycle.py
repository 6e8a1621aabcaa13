"""Pipes that are there when the service starts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from eventbridge_pipes.lifecycle import Lifecycle, Supervisor
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.position import LATEST, OLDEST
from eventbridge_pipes.resources import Resources
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.store import Origin, Store
from pipes_samples import PIPE
from waiting import eventually


class Idle:
    """Runs nothing."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def join(self, timeout: float | None = None) -> bool:
        return True


def test_a_pipe_that_cannot_be_run_again_fails_alone(store: Store) -> None:
    for name in ("good", "spoilt"):
        store.save(replace(PIPE, name=name, current=State.RUNNING))
        store.begin(name, Origin(1.0, OLDEST))
    started = []

    def supervise(pipe: Pipe, origin: Origin) -> Supervisor:
        if pipe.name == "spoilt":
            raise ValueError("an old definition")
        started.append(pipe.name)
        return Idle()

    resources = cast(Resources, cast(Any, None))  # nothing is settled, so nothing is asked
    lifecycle = Lifecycle(store, resources, supervise, lambda _: None)
    lifecycle.resume()
    assert started == ["good"]
    assert {pipe.name: pipe.current for pipe in store.pipes()} == {
        "good": State.RUNNING,
        "spoilt": State.START_FAILED,
    }
    assert lifecycle.stop(1.0)


def test_a_source_that_fails_while_a_pipe_starts_is_the_reason_of_its_state(store: Store) -> None:
    class Unreadable(Idle):
        def start(self) -> None:
            raise SourceError("InternalFailure: try again")

    resources = cast(Any, SimpleNamespace(check=lambda pipe: 1.0))
    lifecycle = Lifecycle(store, resources, lambda pipe, origin: Unreadable(), lambda _: None)
    latest = {"KinesisStreamParameters": {"StartingPosition": "LATEST"}}
    pipe = replace(PIPE, current=State.STARTING, source_parameters=latest)
    store.save(pipe)
    lifecycle.settle(pipe)
    (found,) = eventually(lambda: [p for p in store.pipes() if p.current.settled])
    assert (found.current, found.reason) == (State.START_FAILED, "InternalFailure: try again")
    assert store.origin(pipe.name) == Origin(1.0, LATEST)
    assert lifecycle.stop(1.0)
