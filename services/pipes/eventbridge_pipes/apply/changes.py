"""Compares pipes with those that exist, and creates, updates and deletes them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eventbridge_pipes.apply.definition import STACK_TAG, Request, fixed, update_request
from eventbridge_pipes.pipe import State

SETTLE_SECONDS = 120
"""How long a pipe may take to reach a state that lasts. On AWS it is about a minute."""

_PAUSE = 0.1


class PipeFailedError(Exception):
    """The pipe cannot reach the wanted state, or did not; the message says why."""


class Change(NamedTuple):
    """What to do about one pipe, with the calls and their parameters, in order."""

    name: str
    done: str
    calls: list[tuple[str, Request]]


def change(wanted: Request, current: Mapping[str, Any] | None) -> Change:
    """How `current`, as DescribePipe shows it, becomes `wanted`. Raises PipeFailedError."""
    name, tags = wanted["Name"], wanted.get("Tags", {})
    if current is None:
        return Change(name, "created", [("create_pipe", wanted)])
    owner = current.get("Tags", {}).get(STACK_TAG)
    if owner not in (None, tags.get(STACK_TAG)):
        raise PipeFailedError(f"it belongs to the stack {owner}: choose another Name")
    if differing := fixed(wanted, current):
        raise PipeFailedError(
            f"no update can change {' and '.join(differing)}: give it another Name, or delete it "
            "and apply again. The new pipe begins at its starting position"
        )
    calls: list[tuple[str, Request]] = []
    if tags.items() - current.get("Tags", {}).items():
        calls.append(("tag_resource", {"resourceArn": current["Arn"], "tags": tags}))
    if update := update_request(wanted, current):
        calls.append(("update_pipe", update))
    return Change(name, "updated" if calls else "unchanged", calls)


def deletion(name: str) -> Change:
    return Change(name, "deleted", [("delete_pipe", {"Name": name})])


def described(client: Any, name: str) -> Mapping[str, Any] | None:
    """The pipe in a state that lasts; None if there is none. Raises PipeFailedError."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            pipe: Mapping[str, Any] = client.describe_pipe(Name=name)
        except client.exceptions.NotFoundException:
            return None
        if State(pipe["CurrentState"]).settled:
            return pipe
        if time.monotonic() > deadline:
            raise PipeFailedError(f"it is still {pipe['CurrentState']}")
        time.sleep(_PAUSE)


def carry_out(client: Any, change: Change) -> None:
    """Raises PipeFailedError, or botocore's errors."""
    for operation, parameters in change.calls:
        getattr(client, operation)(**parameters)
    if change.calls:
        pipe = described(client, change.name)
        if pipe and pipe["CurrentState"].endswith("_FAILED"):
            raise PipeFailedError(f"it is {pipe['CurrentState']}: {pipe.get('StateReason')}")


def of_stack(client: Any, stack: str) -> Iterator[str]:
    """The names of the pipes that have the stack's tag."""
    for page in client.get_paginator("list_pipes").paginate():
        for pipe in page["Pipes"]:
            tags = client.list_tags_for_resource(resourceArn=pipe["Arn"])["tags"]
            if tags.get(STACK_TAG) == stack:
                yield pipe["Name"]
