"""Whether what a pipe connects exists and may be used."""

from __future__ import annotations

from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources import source_kind_of
from eventbridge_pipes.sources.source import UnusableError
from eventbridge_pipes.targets import target_kind, target_kind_of
from eventbridge_pipes.targets.target import AbsentError

REASON_LIMIT = 512
"""Characters that the model allows a StateReason."""

NO_TIME = 0.0
"""The time of creation of a queue: it has no positions that could be of another."""


class ResourceError(Exception):
    """A resource of the pipe cannot be used; the text is fit for a StateReason: one short line.

    `passing`: the service did not answer properly, and may do so when it is asked again.
    """

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(" ".join(reason.split())[:REASON_LIMIT])
        self.passing = passing


def check(clients: Clients, pipe: Pipe) -> float:
    """Return when the source stream was created (epoch seconds); NO_TIME for a queue.

    Raises ResourceError about the first of source, enrichment, target, dead-letter queue and log
    group that does not exist or may not be used.
    """
    created = _described(clients, "source", pipe.source)
    if pipe.enrichment:
        _check_invoked(clients, "enrichment", pipe.enrichment, waits=True)
    _check_invoked(clients, "target", pipe.target, target_kind(pipe).waits(pipe))
    if pipe.dead_letter_arn:
        _described(clients, "dead-letter", pipe.dead_letter_arn)
    if pipe.log_group_arn:
        _described(clients, "execution log's", pipe.log_group_arn)
    return created if isinstance(created, float) else NO_TIME


def _check_invoked(clients: Clients, role: str, arn: str, waits: bool) -> None:
    if _described(clients, role, arn) == "STANDARD" and waits:
        instead = "an Express one"
        if role == "target":
            instead += ", or InvocationType FIRE_AND_FORGET"
        raise ResourceError(
            f"The {role} state machine {arn} is a Standard one, which cannot be invoked for "
            f"its answer (REQUEST_RESPONSE). Use {instead}."
        )


def _described(clients: Clients, role: str, text: str) -> Any:
    """Return what `describe` of the resource's kind returns."""
    arn = Arn.parse(text)
    kind = source_kind_of(arn) if role == "source" else target_kind_of(arn)
    assert kind, f"{text} was never accepted"  # noqa: S101
    what = f"{role} {kind.noun} {text}"
    try:
        return kind.describe(clients, arn)
    except UnusableError as error:
        raise ResourceError(f"The {what} cannot be used: {error}.") from error
    except (AbsentError, *errors.CallError) as error:
        if isinstance(error, AbsentError) or errors.is_absent(error):
            remedy = "Create it, then start the pipe or repeat the update; or correct the ARN."
            raise ResourceError(f"The {what} does not exist. {remedy}") from error
        reason = f"The {what} cannot be used: {errors.summary(error)}"
        raise ResourceError(reason, passing=errors.is_service_error(error)) from error
    except LookupError as error:
        # The answer is not this service's: something else listens at its endpoint.
        lacking = f"The {what} cannot be used: {arn.service} answered without {error}."
        raise ResourceError(f"{lacking} Does the endpoint offer this service?") from error
