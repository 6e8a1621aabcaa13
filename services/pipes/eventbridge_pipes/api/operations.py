"""The ten operations."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from eventbridge_pipes.api import definitions, errors
from eventbridge_pipes.api.rules import check
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.store import Store

Members = Mapping[str, Any]

LIST_LIMIT = 100
PIPE_LIMIT = 1000
"""Pipes that an account may have in a Region."""

TAG_LIMIT = 50
USER_INITIATED = "User initiated"


class PipesService:
    """What each operation does to the pipes, under the name that boto3 gives it.

    Requests are taken to satisfy the model.
    """

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

    def create_pipe(self, request: Members) -> Members:
        check(request, self._region)
        name = request["Name"]
        with self._one_at_a_time:
            if self._store.pipe(name):
                raise _conflict(f"Pipe {name} already exists.", name)
            if len(self._store.pipes()) >= PIPE_LIMIT:
                message = f"An account has at most {PIPE_LIMIT} pipes."
                # AWS's code of this quota is not published; a name says what is meant.
                quota = {"serviceCode": "pipes", "quotaCode": "PipesPerAccount"}
                raise errors.QuotaExceededError(
                    message, resourceId=name, resourceType="Pipe", **quota
                )
            return self._settle(definitions.created(request, self._region, self._now()))

    def describe_pipe(self, request: Members) -> Members:
        return definitions.members(self._pipe(request["Name"]).updated)

    def update_pipe(self, request: Members) -> Members:
        with self._one_at_a_time:
            pipe = self._settled(request["Name"])
            definition = definitions.merged(pipe, request)
            check(definition, self._region)
            update = definitions.updated(pipe, definition, self._now())
            pipe = replace(pipe, update=update, kept_running=pipe.runs, modified=update.modified)
            return self._settle(replace(pipe, current=State.UPDATING, reason=None))

    def delete_pipe(self, request: Members) -> Members:
        return self._move(request["Name"], State.DELETING, State.STOPPED)

    def start_pipe(self, request: Members) -> Members:
        """Starting a pipe that runs changes nothing: whether AWS refuses it is not documented."""
        return self._move(request["Name"], State.STARTING, State.RUNNING)

    def stop_pipe(self, request: Members) -> Members:
        """Stopping a pipe that is stopped changes nothing, as with `start_pipe`."""
        return self._move(request["Name"], State.STOPPING, State.STOPPED)

    def list_pipes(self, request: Members) -> Members:
        pipes = [pipe.updated for pipe in self._store.pipes()]
        matching = [pipe for pipe in pipes if _matches(pipe, request)]
        shown, token = page(matching, request.get("Limit", LIST_LIMIT), request.get("NextToken"))
        return {"Pipes": [definitions.members(pipe) for pipe in shown], "NextToken": token}

    def list_tags_for_resource(self, request: Members) -> Members:
        return {"tags": self._tagged(request["resourceArn"]).tags}

    def tag_resource(self, request: Members) -> Members:
        with self._one_at_a_time:
            pipe = self._tagged(request["resourceArn"])
            tags = {**pipe.tags, **request["tags"]}
            if len(tags) > TAG_LIMIT:
                message = f"A pipe has at most {TAG_LIMIT} tags; this would make {len(tags)}"
                raise errors.ValidationError.of([errors.Violation("tags", message)])
            self._store.change(pipe.name, tags=tags)
        return {}

    def untag_resource(self, request: Members) -> Members:
        with self._one_at_a_time:
            pipe = self._tagged(request["resourceArn"])
            kept = {k: v for k, v in pipe.tags.items() if k not in request["tagKeys"]}
            self._store.change(pipe.name, tags=kept)
        return {}

    def _move(self, name: str, passing: State, desired: State) -> Members:
        with self._one_at_a_time:
            pipe = self._settled(name)
            if passing is not State.DELETING and pipe.current is desired:
                return definitions.members(pipe)
            pipe = replace(pipe, desired=desired, reason=USER_INITIATED, modified=self._now())
            return self._settle(replace(pipe, current=passing))

    def _settle(self, pipe: Pipe) -> Members:
        """Store `pipe`, which is in a passing state, and have it leave that state."""
        self._store.save(pipe)
        self._lifecycle.settle(pipe)
        return definitions.members(pipe.updated)

    def _pipe(self, name: str) -> Pipe:
        pipe = self._store.pipe(name)
        if pipe is None:
            raise _not_found(name)
        return pipe

    def _settled(self, name: str) -> Pipe:
        pipe = self._pipe(name)
        if not pipe.current.settled:
            raise _conflict(f"Pipe {name} is {pipe.current}. Try again when that has ended.", name)
        return pipe

    def _tagged(self, arn: str) -> Pipe:
        name = arn.rpartition(":pipe/")[2]
        pipe = self._pipe(name)
        if pipe.arn != arn:
            raise _not_found(name)
        return pipe


def _not_found(name: str) -> errors.PipeNotFoundError:
    return errors.PipeNotFoundError(f"Pipe {name} does not exist.")


def _conflict(message: str, name: str) -> errors.ConflictError:
    return errors.ConflictError(message, **_resource(name))


def _resource(name: str) -> dict[str, str]:
    return {"resourceId": name, "resourceType": "Pipe"}


def _matches(pipe: Pipe, request: Members) -> bool:
    return (
        pipe.name.startswith(request.get("NamePrefix", ""))
        and pipe.source.startswith(request.get("SourcePrefix", ""))
        and pipe.target.startswith(request.get("TargetPrefix", ""))
        and request.get("DesiredState", pipe.desired) == pipe.desired
        and request.get("CurrentState", pipe.current) == pipe.current
    )


def page(pipes: Sequence[Pipe], limit: int, token: str | None) -> tuple[Sequence[Pipe], str | None]:
    """The `limit` pipes after the one that `token` stands for, and the token of the next page.

    `pipes` are in order of name. A token stands for a name, so pipes that are created or deleted
    between two pages do not shift the rest. Raises ValidationError for an invalid token.
    """
    try:
        after = base64.b64decode((token or "").encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        message = "The NextToken is not valid: use the one that the previous page came with"
        raise errors.ValidationError.of([errors.Violation("nextToken", message)]) from None
    rest = [pipe for pipe in pipes if pipe.name > after]
    shown = rest[:limit]
    more = len(rest) > limit
    return shown, base64.urlsafe_b64encode(shown[-1].name.encode()).decode() if more else None
