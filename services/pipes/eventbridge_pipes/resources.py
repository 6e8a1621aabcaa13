"""Whether what a pipe connects is there and may be used."""

from __future__ import annotations

from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.existence import (
    QUESTIONS,
    TABLE_STREAM,
    AbsentError,
    Question,
    UnusableError,
)
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources.kinds import SourceKind, source_kind
from eventbridge_pipes.targets.kinds import TargetKind, waits_for_target

REASON_LIMIT = 512
"""Characters that the model allows a StateReason."""

NO_TIME = 0.0
"""What stands for the time of creation of a queue: it has no positions that could be of another."""

_ABSENT = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
}


class ResourceError(Exception):
    """A resource of the pipe cannot be used; the text is fit for a StateReason: one short line.

    `passing`: the service did not answer properly, and may do so when it is asked again.
    """

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(" ".join(reason.split())[:REASON_LIMIT])
        self.passing = passing


class Resources:
    """Asks AWS for the resources of a pipe."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def check(self, pipe: Pipe) -> float:
        """When the source stream was created (epoch seconds); NO_TIME for a queue.

        Raises ResourceError about the first of source, enrichment, target, dead-letter queue and
        log group that does not exist or may not be used.
        """
        created = self._source(pipe)
        if pipe.enrichment:
            self._invoked("enrichment", pipe.enrichment, for_its_answer=True)
        self._invoked("target", pipe.target, for_its_answer=waits_for_target(pipe))
        if pipe.dead_letter_arn:
            self._resource("dead-letter", pipe.dead_letter_arn)
        if pipe.log_group_arn:
            self._resource("execution log's", pipe.log_group_arn)
        return created

    def _source(self, pipe: Pipe) -> float:
        match source_kind(pipe):
            case SourceKind.DYNAMODB:
                created: float = self._answer(TABLE_STREAM, "source", Arn.parse(pipe.source))
                return created
            case SourceKind.KINESIS:
                created = self._resource("source", pipe.source)
                return created
            case SourceKind.SQS:
                self._resource("source", pipe.source)
                return NO_TIME

    def _invoked(self, role: str, arn: str, for_its_answer: bool) -> None:
        found = self._resource(role, arn)
        if found == "STANDARD" and for_its_answer:
            instead = "an Express one"
            if role == "target":
                instead += ", or InvocationType FIRE_AND_FORGET"
            raise ResourceError(
                f"The {role} state machine {arn} is a Standard one, which cannot be invoked for "
                f"its answer (REQUEST_RESPONSE). Use {instead}."
            )

    def _resource(self, role: str, text: str) -> Any:
        """See Question.ask."""
        arn = Arn.parse(text)
        kind = TargetKind.of(arn)
        assert kind, f"{text} was never accepted"  # noqa: S101
        return self._answer(QUESTIONS[kind], role, arn)

    def _answer(self, question: Question, role: str, arn: Arn) -> Any:
        what = f"{role} {question.noun} {arn.text}"
        try:
            return question.ask(self._clients, arn)
        except AbsentError as error:
            raise _absent(what) from error
        except UnusableError as error:
            raise ResourceError(f"The {what} cannot be used: {error}.") from error
        except errors.CallError as error:
            absent = errors.code_of(error) in _ABSENT
            raise _absent(what) if absent else _unusable(what, error) from error
        except LookupError as error:
            # An answer that is none of this service's: something else listens at its endpoint.
            lacking = f"The {what} cannot be used: {arn.service} answered without {error}."
            raise ResourceError(f"{lacking} Does the endpoint offer this service?") from error


def _absent(what: str) -> ResourceError:
    return ResourceError(
        f"The {what} does not exist. Create it, then start the pipe or create it again."
    )


def _unusable(what: str, error: BaseException) -> ResourceError:
    reason = f"The {what} cannot be used: {errors.describe(error)}"
    return ResourceError(reason, passing=errors.is_service_fault(error))
