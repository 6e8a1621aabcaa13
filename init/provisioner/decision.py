"""The next step for one resource, decided from what is wanted, what is there and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from provisioner.diff import Difference, differences
from provisioner.resources import TAGS, Resource

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


def is_ours(resource: Resource) -> bool:
    return resource.tags == TAGS


def not_ours() -> str:
    tags = ", ".join(f"{key}={value}" for key, value in TAGS.items())
    return f"it has no tag {tags}, so it was not made by this program"


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
            if not (is_ours(actual) or history.made or adopts):
                return Refuse(f"it exists, but {not_ours()}; {_how_to_hand_over()}")
            return _decide_present(desired, actual, history)


def _decide_broken(desired: R, observed: Broken[R], history: History[R]) -> Step[R]:
    if history.made or history.updated_from is not None:
        return Refuse(observed.reason)
    if not is_ours(observed.resource):
        return Refuse(f"it exists, but {not_ours()}; {_how_to_hand_over()}")
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


def _how_to_hand_over() -> str:
    return "choose another name for ours, or hand it over by tagging it"
