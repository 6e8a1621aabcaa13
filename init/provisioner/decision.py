"""The next step for one resource, decided from what is wanted, what is there and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from provisioner.diff import Difference, differences
from provisioner.resources import DEFAULT_STAGE, PROJECT, Resource

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True)
class Pending:
    """It is on its way from one state to another; what it is cannot be told yet."""

    state: str


@dataclass(frozen=True)
class Broken(Generic[R]):
    """AWS gave up on it. `replaceable`: it never worked, so deleting it loses nothing."""

    resource: R
    reason: str
    replaceable: bool


Observed: TypeAlias = R | Pending | Broken[R] | None


@dataclass(frozen=True)
class History(Generic[R]):
    """What this run did to the resource: made it, or updated it when it was `updated_from`."""

    made: bool = False
    updated_from: R | None = None


@dataclass(frozen=True)
class Create:
    pass


@dataclass(frozen=True)
class Update(Generic[R]):
    actual: R
    details: tuple[str, ...]


@dataclass(frozen=True)
class Replace:
    reason: str


@dataclass(frozen=True)
class Wait:
    reason: str


@dataclass(frozen=True)
class Done:
    pass


@dataclass(frozen=True)
class Refuse:
    reason: str


Step: TypeAlias = Create | Update[R] | Replace | Wait | Done | Refuse


def is_ours(actual: Resource, desired: Resource) -> bool:
    """Whether it is of our stage; what was made before there were stages is of the default one."""
    return {"stage": DEFAULT_STAGE, **actual.tags} == desired.tags


def not_ours(actual: Resource, desired: Resource) -> str:
    if actual.tags.get("project") == PROJECT:
        stage = actual.tags.get("stage", DEFAULT_STAGE)
        return f"it is of the stage {stage}, not of {desired.tags['stage']}"
    return f"it has no tag project={PROJECT}, so it was not made by this program"


def decide(desired: R, observed: Observed[R], history: History[R], *, adopts: bool) -> Step[R]:
    """The step that brings the resource closer to `desired`.

    `adopts`: something else may have made it for us, so that one without our tags is taken over.
    Anything else of that name that this run did not make, and that has no tags of ours, is refused:
    changing it, and later deleting it, could harm somebody.
    """
    match observed:
        case None:
            return Wait("it is made, but not visible yet") if history.made else Create()
        case Pending(state):
            return Wait(f"it is {state}")
        case Broken():
            return _decide_broken(desired, observed, history)
        case actual:
            if not (is_ours(actual, desired) or history.made or (adopts and not actual.tags)):
                return _refuse(actual, desired)
            return _decide_present(desired, actual, history)


def _decide_broken(desired: R, observed: Broken[R], history: History[R]) -> Step[R]:
    if history.made or history.updated_from is not None:
        return Refuse(observed.reason)
    if not is_ours(observed.resource, desired):
        return _refuse(observed.resource, desired)
    if observed.replaceable:
        return Replace(observed.reason)
    found = differences(desired, observed.resource)
    return _impossible(desired, found) or Update(
        observed.resource, tuple(map(str, found)) or (observed.reason,)
    )


def _decide_present(desired: R, actual: R, history: History[R]) -> Step[R]:
    found = differences(desired, actual)
    details = tuple(map(str, found))
    if not found:
        return Done()
    if actual == history.updated_from:
        return Wait(f"it is updated, but still differs in {', '.join(details)}")
    return _impossible(desired, found) or Update(actual, details)


def _impossible(desired: Resource, found: tuple[Difference, ...]) -> Refuse | None:
    reasons = [
        f"its {d.field} is {d.actual}, not {d.desired}, and cannot be changed: {advice}"
        for d in found
        if (advice := desired.fixed.get(d.field))
    ]
    return Refuse("; ".join(reasons)) if reasons else None


def _refuse(actual: Resource, desired: Resource) -> Refuse:
    return Refuse(
        f"it exists, but {not_ours(actual, desired)}; "
        "choose another name for ours, or hand it over by tagging it"
    )
