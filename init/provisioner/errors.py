"""What can go wrong: settings that are wrong, and resources that cannot be made so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.access import access_problem, denied_action
from provisioner.changes import Change

AWS_ERRORS = (ClientError, BotoCoreError)


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message names it."""


class NotBegunError(Exception):
    """AWS lets the caller do nothing at all; one line says why, and what to do."""


class NotYetError(Exception):
    """AWS refuses for now, for a reason that passes: the same call is worth repeating."""


class ResourceError(Exception):
    """One resource cannot be made so; the message says why, and what to do where that is known."""


@dataclass(frozen=True)
class Failure:
    """A resource ("function inventory-processor") and the reason why it is not as described.

    `denied` is the action that the caller may not do, where that is the reason.
    """

    resource: str
    reason: str
    denied: str | None = None

    @classmethod
    def of(cls, resource: str, error: Exception) -> Self:
        return cls(resource, explain(error), denied_action(error))


class ProvisioningError(Exception):
    """A run that stopped: what is done, what failed and why, what was not tried.

    Its text is a few lines for people. Every step can be repeated: a second run goes on from
    whatever this one left.
    """

    def __init__(
        self,
        task: str,
        done: Sequence[Change],
        failures: Sequence[Failure],
        untried: Sequence[str] = (),
    ) -> None:
        self.task = task
        self.done = tuple(done)
        self.failures = tuple(failures)
        self.untried = tuple(untried)
        acted = [change.resource for change in done if not change.planned]
        lines = [f"{task} stopped"]
        lines += [f"  failed: {failure.resource}: {failure.reason}" for failure in failures]
        lines += [f"  {change}" for change in done if change.planned]
        lines += [f"  done: {', '.join(acted) or 'nothing'}"]
        lines += [f"  not tried: {', '.join(untried)}"] if untried else []
        lines += ["Run it again once the cause is gone: it goes on from what is there."]
        super().__init__("\n".join(lines))

    def reasons(self) -> list[str]:
        """A line for each reason, whatever it keeps from being made; all that is denied is one."""
        denied = sorted({failure.denied for failure in self.failures if failure.denied})
        kept: dict[str, list[str]] = {}
        for failure in self.failures:
            if not failure.denied:
                kept.setdefault(failure.reason, []).append(failure.resource)
        lines = [f"{', '.join(resources)}: {reason}" for reason, resources in kept.items()]
        return [f"you may not {', '.join(denied)}", *lines] if denied else lines


def explain(error: Exception) -> str:
    """The reason in one printable line: for an answer of AWS its operation, code and message."""
    problem = access_problem(error)
    text = problem or str(error)
    if problem is None and isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        text = f"{error.operation_name}: {answer.get('Code')}: {answer.get('Message')}"
    return "".join(c if c.isprintable() else " " for c in text)
