"""Whether what a pipe connects is there and may be used."""

from __future__ import annotations

from eventbridge_pipes import faults
from eventbridge_pipes.arns import Arn
from eventbridge_pipes.clients import Clients
from eventbridge_pipes.delivery.dead_letter_queue import queue_url
from eventbridge_pipes.model import Pipe
from eventbridge_pipes.sources.kinesis import KinesisStream
from eventbridge_pipes.sources.stream import SourceError, SourceNotFoundError

REASON_LIMIT = 512
"""Characters that the model allows a StateReason."""

_ABSENT = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}


class ResourceError(Exception):
    """A resource of the pipe cannot be used; the text is fit for a StateReason.

    `passing`: the service did not answer properly, and may do so when it is asked again.
    """

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(reason[:REASON_LIMIT])
        self.passing = passing


class Resources:
    """Asks AWS for the resources of a pipe."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def check(self, pipe: Pipe) -> float:
        """When the source stream was created (epoch seconds).

        Raises ResourceError about the first of source, target and dead-letter queue that does
        not exist or may not be used.
        """
        created = self._check_source(pipe.source)
        self._check_target(pipe.target)
        if pipe.stream.dead_letter_arn:
            self._check_dead_letters(Arn.parse(pipe.stream.dead_letter_arn))
        return created

    def _check_source(self, arn: str) -> float:
        try:
            return KinesisStream(self._clients.kinesis, arn).created()
        except SourceNotFoundError as error:
            raise _absent("source stream", arn) from error
        except SourceError as error:
            raise _unusable("source stream", arn, error.__cause__ or error) from error

    def _check_target(self, arn: str) -> None:
        try:
            self._clients.lambda_.get_function_configuration(FunctionName=arn)
        except faults.CallError as error:
            raise _translated("target function", arn, error) from error

    def _check_dead_letters(self, arn: Arn) -> None:
        try:
            if arn.service == "sns":
                self._clients.sns.get_topic_attributes(TopicArn=arn.text)
            else:
                queue_url(self._clients.sqs, arn)
        except faults.CallError as error:
            raise _translated("dead-letter queue", arn.text, error) from error


def _translated(what: str, arn: str, error: Exception) -> ResourceError:
    if faults.code_of(error) in _ABSENT:
        return _absent(what, arn)
    return _unusable(what, arn, error)


def _absent(what: str, arn: str) -> ResourceError:
    return ResourceError(
        f"The {what} {arn} does not exist. Create it, then start the pipe or create it again."
    )


def _unusable(what: str, arn: str, error: BaseException) -> ResourceError:
    reason = f"The {what} {arn} cannot be used: {faults.describe(error)}"
    return ResourceError(reason, passing=faults.is_service_fault(error))
