"""Bringing one resource to where it should be, or away: look, decide, act, look again."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from provisioner.changes import Action, Change
from provisioner.decision import (
    Broken,
    Create,
    Done,
    History,
    Pending,
    Refuse,
    Replace,
    Step,
    Update,
    Wait,
    decide,
    is_ours,
    not_ours,
)
from provisioner.errors import NotYetError, ResourceError
from provisioner.kinds import Kind
from provisioner.patience import Patience
from provisioner.resources import Resource

R = TypeVar("R", bound=Resource)


def preview(kind: Kind[R], desired: R, patience: Patience) -> Change:
    """What `converge` would do, found out without doing it.

    Raises what `converge` raises, where that can be told beforehand.
    """
    pause = patience.start()
    history: History[R] = History()
    while True:
        step = decide(desired, kind.look(desired), history, adopts=kind.adopts)
        match step:
            case Wait(reason):
                pause(reason)
            case Refuse(reason):
                raise ResourceError(reason)
            case _:
                return dataclasses.replace(_change(desired, step), planned=True)


def converge(kind: Kind[R], desired: R, patience: Patience) -> Change:
    """Make AWS have `desired`, and see that it does.

    Raises ResourceError when that cannot be or takes longer than `patience`, botocore's errors as
    they come, and AbandonedError.
    """
    pause = patience.start()
    history: History[R] = History()
    change = Change(Action.UNCHANGED, desired.label)
    while True:
        step = decide(desired, kind.look(desired), history, adopts=kind.adopts)
        if isinstance(step, Done):
            return change
        try:
            history = _act(kind, desired, step, history)
        except NotYetError as reason:
            pause(str(reason))
        else:
            if change.action is Action.UNCHANGED:
                change = _change(desired, step)


def rehearse(kind: Kind[R], desired: R, patience: Patience) -> Change:
    """Make the calls that `converge` would, on clients that keep them back.

    What a call makes of the resource is what the kind says that it does. Raises as `preview` does.
    """
    pause = patience.start()
    change = Change(Action.UNCHANGED, desired.label)
    observed = kind.look(desired)
    while True:
        step = decide(desired, observed, History(), adopts=kind.adopts)
        match step:
            case Done():
                return dataclasses.replace(change, planned=True)
            case Refuse(reason):
                raise ResourceError(reason)
            case Wait(reason):
                pause(reason)
                observed = kind.look(desired)
                continue
            case Create():
                kind.create(desired)
                observed = kind.made(desired)
            case Replace():
                kind.delete(desired)
                observed = None
            case Update(actual):
                observed = _update(kind, desired, actual)
        if change.action is Action.UNCHANGED:
            change = _change(desired, step)


def _update(kind: Kind[R], desired: R, actual: R) -> R | None:
    goal = kind.toward(desired, actual)
    if goal is None:
        kind.delete(desired)
    else:
        kind.update(goal, actual)
    return goal


def _act(kind: Kind[R], desired: R, step: Step[R], history: History[R]) -> History[R]:
    match step:
        case Wait(reason):
            raise NotYetError(reason)
        case Refuse(reason):
            raise ResourceError(reason)
        case Create():
            kind.create(desired)
            return dataclasses.replace(history, made=True)
        case Replace():
            kind.delete(desired)
        case Update(actual):
            try:
                _update(kind, desired, actual)
            except BaseException:
                # An emulator may drop the tags that a resource is made with. If they cannot be
                # added it does not stay: the next run would take it for somebody else's.
                if history.made and not is_ours(actual, desired):
                    kind.delete(desired)
                raise
            return dataclasses.replace(history, updated_from=actual)
    return history


def remove(kind: Kind[R], desired: R, patience: Patience) -> Change:
    """Delete the resource if it is ours, and see that it is gone; raises as `converge` does."""
    pause = patience.start()
    asked = False
    while True:
        match kind.look(desired):
            case None:
                return Change(Action.DELETED if asked else Action.ABSENT, desired.label)
            case Pending(state):
                pause(f"it is {state}")
            case observed:
                resource = observed.resource if isinstance(observed, Broken) else observed
                if not is_ours(resource, desired):
                    return Change(Action.KEPT, desired.label, not_ours(resource, desired))
                if resource.kept_for:
                    return Change(Action.KEPT, desired.label, resource.kept_for)
                if asked:
                    pause("it is deleted, but still there")
                else:
                    kind.delete(desired)
                    asked = True


def _change(desired: R, step: Step[R]) -> Change:
    match step:
        case Create():
            return Change(Action.CREATED, desired.label, desired.detail)
        case Replace(reason):
            return Change(Action.REPLACED, desired.label, reason)
        case Update(_, details):
            return Change(Action.UPDATED, desired.label, ", ".join(details))
        case _:
            return Change(Action.UNCHANGED, desired.label)
