"""The states of pipes, through the operations of the API."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from eventbridge_pipes import lifecycle as module
from eventbridge_pipes.api.operations import ConflictError, PipesService
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.record import OLDEST
from eventbridge_pipes.resources import ResourceError
from eventbridge_pipes.runners import Runner
from eventbridge_pipes.sources.source import SourceError
from eventbridge_pipes.store import Origin, StateError, Store
from pipes_api import Api
from pipes_requests import FUNCTION, SCOPE, arn, definition
from pipes_samples import PIPE
from waiting import eventually

ABSENT = f"{FUNCTION}-that-is-absent"
OTHER = f"{FUNCTION}-2"
ROLE = definition()["RoleArn"]


@dataclass
class Run:
    """Runs nothing."""

    target: str
    world: World

    def start(self) -> None:
        if self.world.failing_starts:
            self.world.failing_starts -= 1
            raise RuntimeError("can't start new thread")
        if self.world.unreadable:
            raise SourceError("InternalFailure: try again")
        self.world.running.append(self.target)

    def stop(self) -> None:
        pass

    def join(self, timeout: float | None = None) -> bool:
        self.world.running.remove(self.target)
        return True


@dataclass
class World:
    """A service that runs pipes, and may be started again. `running` has the targets of the runs.

    Checks of a pipe wait until `answering` is set; functions that are `absent` do not exist.
    """

    store: Store
    answering: threading.Event = field(default_factory=threading.Event)
    running: list[str] = field(default_factory=list)
    failing_starts: int = 0
    unreadable: bool = False
    failing_runners: int = 0
    spoilt: tuple[str, ...] = ()
    absent: tuple[str, ...] = (ABSENT,)

    def __post_init__(self) -> None:
        self.answering.set()
        self.start()

    def start(self) -> None:
        self.lifecycle = Lifecycle(self.store, self.check, self.runner, lambda _: None)
        self.api = PipesService(self.store, self.lifecycle, SCOPE)
        self.lifecycle.resume()

    def crash(self) -> None:
        """End without a change of any state."""
        ended, self.running = self.lifecycle, []
        ended._stopping.set()
        self.answering.set()
        assert eventually(lambda: not ended._settling)

    def check(self, pipe: Pipe) -> float:
        lifecycle = self.lifecycle
        self.answering.wait(5)
        if lifecycle._stopping.is_set() or pipe.target in self.absent:
            raise ResourceError(f"The target function {pipe.target} does not exist.")
        return 1.0

    def runner(self, pipe: Pipe, origin: Origin) -> Runner:
        if self.failing_runners:
            self.failing_runners -= 1
            raise RuntimeError("can't start new thread")
        if pipe.target in self.spoilt:
            raise ValueError("an old definition")
        return Run(pipe.target, self)

    def update(self, target: str, **members: Any) -> None:
        self.api.update_pipe({"Name": "p", "RoleArn": ROLE, "Target": target, **members})

    def reaches(self, state: State) -> Pipe:
        def there() -> Pipe | None:
            pipe = self.store.pipe(arn("pipes", "pipe/p"))
            return pipe if pipe and pipe.current is state else None

        return cast(Pipe, eventually(there))


@pytest.fixture
def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.01, 0.02))
    world = World(store)
    yield world
    world.answering.set()
    world.lifecycle.stop(1.0)


@pytest.fixture
def running(world: World) -> World:
    """It runs the pipe `p`, whose target is `FUNCTION`."""
    world.api.create_pipe(definition(target=FUNCTION))
    world.reaches(State.RUNNING)
    return world


def test_a_source_that_cannot_be_read_at_the_start_is_the_reason_of_the_state(world: World) -> None:
    world.unreadable = True
    world.api.create_pipe(definition(target=FUNCTION))
    assert world.reaches(State.CREATE_FAILED).reason == "InternalFailure: try again"
    world.unreadable = False
    world.api.start_pipe({"Name": "p"})
    world.reaches(State.RUNNING)
    assert world.running == [FUNCTION]


def test_a_pipe_that_cannot_be_run_again_fails_alone(world: World) -> None:
    world.crash()
    for name, target in (("good", FUNCTION), ("p", OTHER)):
        pipe = replace(PIPE, name=name, arn=arn("pipes", f"pipe/{name}"), target=target)
        world.store.save(replace(pipe, current=State.RUNNING))
        world.store.set_origin(pipe.arn, Origin(1.0, OLDEST))
    world.spoilt = (OTHER,)
    world.start()
    world.reaches(State.START_FAILED)
    assert eventually(lambda: world.running == [FUNCTION])
    assert {pipe.name: pipe.current for pipe in world.store.pipes()} == {
        "good": State.RUNNING,
        "p": State.START_FAILED,
    }


# Updates


def test_a_failed_update_leaves_the_pipe_running_as_it_was(running: World) -> None:
    running.update(ABSENT, Description="new")
    pipe = running.reaches(State.UPDATE_FAILED)
    assert pipe.reason
    assert ABSENT in pipe.reason
    described = running.api.describe_pipe({"Name": "p"})
    assert (described["Target"], described["Description"]) == (FUNCTION, None)
    assert running.running == [FUNCTION]


def test_the_pipe_runs_until_its_update_is_checked(running: World) -> None:
    running.answering.clear()
    running.update(OTHER)
    assert running.running == [FUNCTION]
    running.answering.set()
    assert running.reaches(State.RUNNING).target == OTHER
    assert running.running == [OTHER]


def test_a_pipe_shows_the_new_definition_while_it_is_updating(running: World) -> None:
    running.answering.clear()
    running.update(OTHER, DesiredState="STOPPED")
    running.api.tag_resource(
        {"resourceArn": running.reaches(State.UPDATING).arn, "tags": {"a": "b"}}
    )
    described = running.api.describe_pipe({"Name": "p"})
    assert (described["CurrentState"], described["Target"]) == ("UPDATING", OTHER)
    assert described["Tags"] == {"a": "b"}
    assert running.api.list_pipes({"TargetPrefix": OTHER})["Pipes"]
    running.answering.set()
    assert running.reaches(State.STOPPED).tags == {"a": "b"}
    assert running.running == []


def test_an_update_survives_a_crash_of_the_service(running: World) -> None:
    running.answering.clear()
    running.update(OTHER)
    running.crash()
    running.reaches(State.UPDATING)
    running.start()
    assert running.reaches(State.RUNNING).target == OTHER
    assert running.running == [OTHER]


def test_an_update_that_fails_after_a_crash_leaves_the_pipe_running_as_it_was(
    running: World,
) -> None:
    running.answering.clear()
    running.update(ABSENT)
    running.crash()
    running.start()
    assert running.reaches(State.UPDATE_FAILED).target == FUNCTION
    assert running.running == [FUNCTION]


def test_the_old_definition_runs_on_if_the_new_one_cannot_be_run(running: World) -> None:
    running.spoilt = (OTHER,)
    running.update(OTHER)
    assert running.reaches(State.UPDATE_FAILED).target == FUNCTION
    assert eventually(lambda: running.running == [FUNCTION])


def test_after_a_failed_update_a_pipe_runs_again_when_the_service_restarts(running: World) -> None:
    running.update(ABSENT)
    running.reaches(State.UPDATE_FAILED)
    running.update(ABSENT)  # a second one makes no difference
    running.reaches(State.UPDATE_FAILED)
    running.crash()
    running.start()
    assert eventually(lambda: running.running == [FUNCTION])
    assert running.reaches(State.UPDATE_FAILED).reason


@pytest.mark.parametrize("desired", ["STOPPED", "RUNNING"])
def test_a_pipe_that_did_not_run_does_not_run_after_a_failed_update(
    world: World, desired: str
) -> None:
    world.api.create_pipe(definition(target=FUNCTION) | {"DesiredState": "STOPPED"})
    world.reaches(State.STOPPED)
    world.update(ABSENT, DesiredState=desired)
    world.reaches(State.UPDATE_FAILED)
    world.crash()
    world.start()
    world.lifecycle.stop(1.0)
    assert world.running == []


@pytest.mark.parametrize(
    ("operation", "state", "runs"),
    [("start", State.RUNNING, [FUNCTION]), ("stop", State.STOPPED, [])],
)
def test_a_pipe_is_started_and_stopped_after_a_failed_update(
    running: World, operation: str, state: State, runs: list[str]
) -> None:
    running.update(ABSENT)
    running.reaches(State.UPDATE_FAILED)
    getattr(running.api, f"{operation}_pipe")({"Name": "p"})
    assert running.reaches(state).target == FUNCTION
    assert running.running == runs


def test_a_pipe_is_updated_and_deleted_after_a_failed_update(running: World) -> None:
    running.update(ABSENT)
    running.reaches(State.UPDATE_FAILED)
    running.update(OTHER)
    pipe = running.reaches(State.RUNNING)
    assert (pipe.target, running.running) == (OTHER, [OTHER])
    assert pipe.reason == "Async workflow completed without requiring PJD update"
    running.update(ABSENT)
    running.reaches(State.UPDATE_FAILED)
    running.api.delete_pipe({"Name": "p"})
    assert eventually(lambda: not running.store.pipes())
    assert running.running == []


# A store that cannot be written, threads that cannot be started


class FullDisk:
    """The store's connection; it can be read, but not written as long as it is full."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.full = False
        self.refused = 0

    def execute(self, statement: str, *values: Any) -> Any:
        if self.full and not statement.startswith("SELECT"):
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        return self._db.execute(statement, *values)


@pytest.fixture
def disk(store: Store) -> FullDisk:
    disk = FullDisk(store._db)
    store._db = cast(sqlite3.Connection, disk)
    return disk


def start(world: World) -> None:
    world.api.stop_pipe({"Name": "p"})
    world.reaches(State.STOPPED)
    world.api.start_pipe({"Name": "p"})


OPERATIONS: dict[str, tuple[Callable[[World], Any], State | None, list[str]]] = {
    "update": (lambda world: world.update(OTHER), State.RUNNING, [OTHER]),
    "failed update": (lambda world: world.update(ABSENT), State.UPDATE_FAILED, [FUNCTION]),
    "stop": (lambda world: world.api.stop_pipe({"Name": "p"}), State.STOPPED, []),
    "start": (start, State.RUNNING, [FUNCTION]),
    "delete": (lambda world: world.api.delete_pipe({"Name": "p"}), None, []),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_pipe_leaves_its_passing_state_once_the_state_can_be_written(
    disk: FullDisk, running: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    ask, state, runs = OPERATIONS[operation]
    settle = running.lifecycle.settle

    def settle_on_a_full_disk(pipe: Pipe) -> None:
        disk.full = operation != "start" or pipe.current is State.STARTING
        settle(pipe)

    monkeypatch.setattr(running.lifecycle, "settle", settle_on_a_full_disk)
    ask(running)
    assert eventually(lambda: disk.refused >= 3)
    pipe = running.store.pipe(arn("pipes", "pipe/p"))
    assert pipe
    assert not pipe.current.settled
    disk.full = False
    if state:
        running.reaches(state)
    else:
        assert eventually(lambda: not running.store.pipes())
    assert running.running == runs


def test_what_runs_is_what_is_stored_if_an_update_fails_after_all(
    disk: FullDisk, running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = running.lifecycle.settle

    def settle_on_a_full_disk(pipe: Pipe) -> None:
        disk.full = True
        settle(pipe)

    monkeypatch.setattr(running.lifecycle, "settle", settle_on_a_full_disk)
    running.update(OTHER)
    assert eventually(lambda: disk.refused >= 2)
    running.absent = (OTHER,)
    refused = disk.refused
    assert eventually(lambda: disk.refused >= refused + 3)  # the last tries met no `OTHER`
    disk.full = False
    assert running.reaches(State.UPDATE_FAILED).target == FUNCTION
    assert eventually(lambda: running.running == [FUNCTION])


def test_a_pipe_is_created_once_the_state_can_be_written(
    disk: FullDisk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = world.lifecycle.settle

    def settle_on_a_full_disk(pipe: Pipe) -> None:
        disk.full = True
        settle(pipe)

    monkeypatch.setattr(world.lifecycle, "settle", settle_on_a_full_disk)
    world.api.create_pipe(definition(target=FUNCTION))
    assert eventually(lambda: disk.refused >= 3)
    disk.full = False
    world.reaches(State.RUNNING)
    assert world.running == [FUNCTION]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/pipes/new", None),
        ("PUT", "/v1/pipes/p", {"RoleArn": ROLE, "Target": OTHER}),
        ("DELETE", "/v1/pipes/p", {}),
        ("POST", "/v1/pipes/p/stop", {}),
    ],
)
def test_a_request_that_cannot_be_written_is_an_internal_error_and_changes_nothing(
    disk: FullDisk, store: Store, method: str, path: str, body: dict[str, Any] | None
) -> None:
    api = Api(store)
    before = store.pipes()
    disk.full = True
    members = {k: v for k, v in definition().items() if k != "Name"} if body is None else body
    answer = api.ask(method, path, json.dumps(members).encode())
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (500, "InternalException")
    assert store.pipes() == before


def test_each_change_of_the_store_raises_state_error(disk: FullDisk, store: Store) -> None:
    store.save(PIPE)
    store.advance(PIPE.arn, "a", "001")
    disk.full = True
    changes: list[Callable[[], None]] = [
        lambda: store.save(PIPE),
        lambda: store.change(PIPE.arn, tags={}),
        lambda: store.complete(PIPE.arn, State.RUNNING, "why"),
        lambda: store.set_origin(PIPE.arn, Origin(1.0, OLDEST)),
        lambda: store.delete(PIPE.arn),
        lambda: store.keep_only(PIPE.arn, []),
    ]
    for change in changes:
        with pytest.raises(StateError, match="disk is full"):
            change()
    disk.full = False
    assert store.pipes() == [PIPE]
    assert list(store.checkpoints(PIPE.arn)) == ["a"]


def failing_once(
    monkeypatch: pytest.MonkeyPatch, of: str, start: Callable[[threading.Thread], None]
) -> list[str]:
    """Let the next start of a thread called `of` fail; the list has its name from then on."""
    failed: list[str] = []

    def start_or_fail(thread: threading.Thread) -> None:
        if thread.name == of and not failed:
            failed.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    return failed


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_pipe_leaves_its_passing_state_although_no_thread_could_be_started(
    running: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    ask, state, runs = OPERATIONS[operation]
    failed = failing_once(monkeypatch, "settle p", threading.Thread.start)
    ask(running)
    if state and operation != "update":
        running.reaches(state)
    assert eventually(lambda: running.running == runs)
    assert eventually(lambda: bool(running.store.pipes()) == bool(state))
    assert failed


def test_a_pipe_runs_again_although_no_thread_could_be_started(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.crash()
    failed = failing_once(monkeypatch, "settle p", threading.Thread.start)
    running.start()
    assert eventually(lambda: running.running == [FUNCTION])
    assert failed


@pytest.mark.parametrize("operation", ["update", "start"])
def test_a_run_that_cannot_be_started_is_started_later(running: World, operation: str) -> None:
    ask, _, runs = OPERATIONS[operation]
    running.failing_starts = 2
    running.failing_runners = 1  # the execution log has a thread, too
    ask(running)
    assert eventually(lambda: running.running == runs)
    running.reaches(State.RUNNING)
    assert running.failing_starts == 0


def test_while_a_start_is_repeated_no_other_operation_is_accepted(running: World) -> None:
    running.failing_starts = 1_000_000
    start(running)
    with pytest.raises(ConflictError):
        running.api.stop_pipe({"Name": "p"})
    running.failing_starts = 0
    running.reaches(State.RUNNING)


def test_a_pipe_that_is_stopped_before_it_runs_again_does_not_run(running: World) -> None:
    running.crash()
    running.failing_starts = 1_000_000
    running.start()
    running.api.stop_pipe({"Name": "p"})
    running.reaches(State.STOPPED)
    running.failing_starts = 0
    assert eventually(lambda: not running.lifecycle._settling)
    assert running.running == []
