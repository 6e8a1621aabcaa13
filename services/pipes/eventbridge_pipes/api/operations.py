"""The ten operations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from eventbridge_pipes.api import definitions
from eventbridge_pipes.api.errors import (
    ConflictError,
    PipeNotFoundError,
    QuotaExceededError,
    ValidationError,
    Violation,
)
from eventbridge_pipes.api.paging import page
from eventbridge_pipes.api.rules.definition import check
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.store import Store

Members = Mapping[str, Any]
Operation = Callable[[Members], Mapping[str, Any]]

LIST_LIMIT = 100
PIPE_LIMIT = 1000
"""Pipes that an account may have in a Region."""

TAG_LIMIT = 50
USER_INITIATED = "User initiated"


class PipesService:
    """What each operation does to the pipes. Requests are taken to satisfy the model."""

    def __init__(
        self,
        store: Store,
        lifecycle: Lifecycle,
        region: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._region = region
        self._now = now
        self._one_at_a_time = threading.Lock()
        self.operations: Mapping[str, Operation] = {
            "CreatePipe": self.create,
            "DescribePipe": self.describe,
            "UpdatePipe": self.update,
            "DeletePipe": self.delete,
            "ListPipes": self.list,
            "StartPipe": self.start,
            "StopPipe": self.stop,
            "ListTagsForResource": self.list_tags,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }

    def create(self, request: Members) -> Members:
        check(request, self._region)
        name = request["Name"]
        with self._one_at_a_time:
            if self._store.pipe(name):
                raise ConflictError(f"Pipe {name} already exists.", name)
            if len(self._store.pipes()) >= PIPE_LIMIT:
                raise QuotaExceededError(f"An account has at most {PIPE_LIMIT} pipes.", name)
            pipe = definitions.created(request, self._region, self._now())
            self._store.save(pipe)
        self._lifecycle.settle(pipe)
        return definitions.status(pipe)

    def describe(self, request: Members) -> Members:
        return definitions.description(self._pipe(request["Name"]))

    def update(self, request: Members) -> Members:
        with self._one_at_a_time:
            pipe = self._settled(request["Name"])
            definition = definitions.merged(pipe, request)
            check(definition, self._region)
            pipe = definitions.updated(pipe, definition, self._now())
            self._store.save(pipe)
        self._lifecycle.settle(pipe)
        return definitions.status(pipe)

    def delete(self, request: Members) -> Members:
        return self._move(request["Name"], State.DELETING, State.STOPPED)

    def start(self, request: Members) -> Members:
        """Starting a pipe that runs changes nothing: whether AWS refuses it is not documented."""
        return self._move(request["Name"], State.STARTING, State.RUNNING)

    def stop(self, request: Members) -> Members:
        """Like `start`: stopping a pipe that is stopped changes nothing."""
        return self._move(request["Name"], State.STOPPING, State.STOPPED)

    def list(self, request: Members) -> Members:
        matching = [pipe for pipe in self._store.pipes() if _matches(pipe, request)]
        shown = page(matching, request.get("Limit", LIST_LIMIT), request.get("NextToken"))
        return {
            "Pipes": [definitions.summary(pipe) for pipe in shown.pipes],
            "NextToken": shown.next_token,
        }

    def list_tags(self, request: Members) -> Members:
        return {"tags": self._tagged(request["resourceArn"]).tags}

    def tag(self, request: Members) -> Members:
        with self._one_at_a_time:
            pipe = self._tagged(request["resourceArn"])
            tags = {**pipe.tags, **request["tags"]}
            if len(tags) > TAG_LIMIT:
                message = f"A pipe has at most {TAG_LIMIT} tags; this would make {len(tags)}"
                raise ValidationError(message, [Violation("tags", message)])
            self._store.change(pipe.name, tags=tags)
        return {}

    def untag(self, request: Members) -> Members:
        with self._one_at_a_time:
            pipe = self._tagged(request["resourceArn"])
            gone = set(request["tagKeys"])
            tags = {key: value for key, value in pipe.tags.items() if key not in gone}
            self._store.change(pipe.name, tags=tags)
        return {}

    def _move(self, name: str, passing: State, desired: State) -> Members:
        with self._one_at_a_time:
            pipe = self._settled(name)
            if passing is not State.DELETING and pipe.current is desired:
                return definitions.status(pipe)
            pipe = replace(
                pipe,
                current=passing,
                desired=desired,
                reason=USER_INITIATED,
                modified=self._now(),
            )
            self._store.save(pipe)
        self._lifecycle.settle(pipe)
        return definitions.status(pipe)

    def _pipe(self, name: str) -> Pipe:
        pipe = self._store.pipe(name)
        if pipe is None:
            raise PipeNotFoundError(name)
        return pipe

    def _settled(self, name: str) -> Pipe:
        pipe = self._pipe(name)
        if not pipe.current.settled:
            raise ConflictError(
                f"Pipe {name} is {pipe.current}. Try again when that has ended.", name
            )
        return pipe

    def _tagged(self, arn: str) -> Pipe:
        name = arn.rpartition(":pipe/")[2]
        pipe = self._pipe(name)
        if pipe.arn != arn:
            raise PipeNotFoundError(name)
        return pipe


def _matches(pipe: Pipe, request: Members) -> bool:
    return (
        pipe.name.startswith(request.get("NamePrefix", ""))
        and pipe.source.startswith(request.get("SourcePrefix", ""))
        and pipe.target.startswith(request.get("TargetPrefix", ""))
        and request.get("DesiredState", pipe.desired) == pipe.desired
        and request.get("CurrentState", pipe.current) == pipe.current
    )
