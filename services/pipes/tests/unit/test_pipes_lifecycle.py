"""Pipes that are there when the service starts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from eventbridge_pipes.lifecycle import Lifecycle, Supervisor
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.position import OLDEST
from eventbridge_pipes.resources import Resources
from eventbridge_pipes.store import Origin, Store
from pipes_samples import PIPE


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
