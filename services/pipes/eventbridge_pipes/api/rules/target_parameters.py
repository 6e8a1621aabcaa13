"""Rules about the parameters of each kind of target.

Any text in them but a name of a log stream and of an endpoint may be a path instead:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
"""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.protocol import field_name
from eventbridge_pipes.api.rules.templates import is_meant_as_path, path_violations
from eventbridge_pipes.api.rules.wording import Members, is_fifo, refusal
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.targets.kinds import TargetKind


def parameter_violations(
    arn: Arn, kind: TargetKind, target_parameters: Members
) -> Iterator[Violation]:
    if kind.parameters is None:
        return
    where = field_name("targetParameters", kind.parameters)
    parameters = target_parameters.get(kind.parameters, {})
    match kind:
        case TargetKind.SQS:
            yield from _queue(where, parameters, is_fifo(arn))
        case TargetKind.KINESIS:
            yield from _stream(where, parameters)
        case TargetKind.EVENT_BUS:
            yield from _bus(where, parameters)
        case TargetKind.LOG_GROUP:
            yield from _log_group(where, parameters)
    yield from path_violations(where, parameters)


def _queue(where: str, parameters: Members, fifo: bool) -> Iterator[Violation]:
    """A standard queue may have message groups too: SQS shares it fairly between them."""
    if fifo and not parameters.get("MessageGroupId"):
        message = "A FIFO queue as target needs SqsQueueParameters with MessageGroupId"
        yield Violation(f"{where}.messageGroupId", message)
    if not fifo and parameters.get("MessageDeduplicationId"):
        message = "MessageDeduplicationId goes with a FIFO queue as target, and only with it"
        yield Violation(f"{where}.messageDeduplicationId", message)


def _stream(where: str, parameters: Members) -> Iterator[Violation]:
    if not parameters.get("PartitionKey"):
        message = "A Kinesis stream as target needs KinesisStreamParameters with PartitionKey"
        yield Violation(f"{where}.partitionKey", message)


def _bus(where: str, parameters: Members) -> Iterator[Violation]:
    if "EndpointId" in parameters:
        message = refusal("EndpointId, a global endpoint,", "the event bus alone")
        yield Violation(f"{where}.endpointId", message)


def _log_group(where: str, parameters: Members) -> Iterator[Violation]:
    """The page above says both that a log stream's name may be a path and that it may not.

    The list of exceptions is the newer of the two. A pipe that does without runs under either.
    """
    if is_meant_as_path(parameters.get("LogStreamName", "")):
        message = "LogStreamName must be a name: a path is not supported there"
        yield Violation(f"{where}.logStreamName", message)
