"""What all targets and enrichments share: messages, answers, and what errors of calls mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import EXECUTION_LIMIT, Clients
from eventbridge_pipes.outcome import FailedCall, Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes that a synchronous invocation may carry. No batch is larger, whatever its target."""

Members = Mapping[str, Any]
"""Parameters of the API, by their names."""

Problems = Iterable[tuple[str, str]]
"""The name of a parameter that is not valid, or "" for the target itself, and the message."""


class Message(NamedTuple):
    """What the target gets for one record.

    The paths in the target's parameters look into `record`. `body` is the text to send. It is
    JSON, unless a template made plain text of it (`is_json` is false).
    """

    record: Record
    body: str
    is_json: bool = True


Messages = Sequence[Message]


Answer = Outcome | bytes
"""The outcome of the messages, or what an invocation returned: bytes that may be JSON, or empty.
What a target returned may name records that failed (`batchItemFailures`)."""

Send = Callable[[Messages, ExecutionTelemetry], Answer]
"""A target. Hands over all messages, in their order, in as many calls as the service needs.

The execution log sees the calls. Errors of the caller's making are failed attempts; those of the
service are service errors.
"""

Invocation = Callable[[Clients, str, bool, Messages, ExecutionTelemetry], Answer]
"""Invokes a target or an enrichment once, with the JSON array of all messages.

The ARN says which; the flag says whether it is invoked for its answer.
"""


@dataclass(frozen=True)
class TargetKind:
    """All that is known about a kind of target.

    `label` and `noun` name it in messages. The limits of a batch are those of
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """

    service: str
    resource: str
    """A regular expression for the part of an ARN that follows the account."""
    label: str
    noun: str
    connect: Callable[[Pipe, Clients], Send]
    """Makes the target of a pipe."""
    describe: Callable[[Clients, Arn], Any]
    """Asks the service for the resource and returns what is to be known about it. Raises what boto3
    raises, and AbsentError."""
    parameters: str = ""
    """The member of TargetParameters that belongs to it; empty if there is none."""
    batch_limit: int | None = None
    """In records; None if only the payload limits a batch."""
    payload_limit: Callable[[bool], int] = lambda waits: PAYLOAD_LIMIT
    """In bytes, given whether the target is invoked for its answer."""
    violations: Callable[[Arn, Members, Arn], Problems] = lambda arn, parameters, role: ()
    """Checks the ARN and the parameters of a target, given the ARN of the pipe's role."""

    def parameters_of(self, pipe: Pipe) -> Members:
        """Return the parameters of `pipe`, whose target is of this kind."""
        members: Members = pipe.target_parameters.get(self.parameters, {})
        return members

    def waits(self, pipe: Pipe) -> bool:
        """Return whether the target of `pipe` is invoked for its answer, which is the default."""
        return bool(self.parameters_of(pipe).get("InvocationType") != "FIRE_AND_FORGET")


class AbsentError(Exception):
    """The resource does not exist. Most services report this with an error of their own."""


class UnreadableAnswerError(BotoCoreError):
    """A service answered with success, but not with what its API promises."""

    fmt = "{service} answered without {member}. Does the endpoint offer this service?"


def not_supported(what: str, instead: str) -> str:
    return f"{what} is not supported by this implementation of EventBridge Pipes; use {instead}"


def payload(messages: Messages) -> bytes:
    """Return the JSON array of `messages`, as a function or a state machine gets it."""
    return json_array(m.body if m.is_json else quoted(m.body) for m in messages).encode()


def call_service(
    service: str, call: Callable[..., Any], parameters: Members, execution: ExecutionTelemetry
) -> Any:
    """Return the answer of `call(**parameters)` and show both to the execution log.

    Raises what boto3 raises, and UnreadableAnswerError.
    """
    if execution.shows_calls:
        execution.request(parameters)
    try:
        answer = call(**parameters)
    except ResponseParserError as error:
        unreadable = UnreadableAnswerError(service=service, member="a valid body")
        raise unreadable from error
    if execution.shows_calls:
        execution.response({k: v for k, v in answer.items() if k != "ResponseMetadata"})
    return answer


def items(service: str, answer: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    """Return a list of objects in an answer. Raises UnreadableAnswerError when there is none."""
    found = answer.get(member)
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    raise UnreadableAnswerError(service=service, member=member)


def call_error(service: str, error: BaseException) -> FailedCall:
    """Describe an error of boto3 for the execution log.

    `service` is the endpoint prefix of the service, such as lambda.
    """
    answer: Any = error.response if isinstance(error, ClientError) else {}
    code, message = errors.code_of(error), errors.message_of(error)
    described = reported_error(service, code, message, answer, errors.is_timeout(error))
    return replace(described, service_error=errors.is_service_error(error))


def reported_error(
    service: str, code: str, message: str, answer: Mapping[str, Any], timed_out: bool = False
) -> FailedCall:
    """Describe an error that an answer reports."""
    metadata = answer.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    throttled = errors.is_throttling_code(code) or status == 429
    request_id = metadata.get("RequestId", "")
    return FailedCall(service, message, status, code, request_id, throttled, timed_out)


def invocation_failed(
    service: str, error: BaseException, messages: Messages, waits: bool, not_ready: bool = False
) -> Outcome:
    """Return what an error of one call with all messages means.

    Errors of the caller's making (no such function, no permission, too large a payload) are
    failed attempts, as on AWS; those of the service are service errors. If the call `waits` for
    the result, no answer in time is a failed attempt too.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
    """
    described = call_error(service, error)
    if waits and described.timed_out:
        return all_failed(messages, f"no answer within {EXECUTION_LIMIT} seconds", described)
    service_error = not_ready or described.service_error
    return all_failed(messages, described.reason, described, service_error)
