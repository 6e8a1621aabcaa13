"""What all targets share: messages, the two ways to send them, and what failed calls mean.

Most targets take their messages with a batch API (BatchTarget). A function and a state machine take
all of them in one call, may answer, and so can enrich, too (InvokedTarget).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import EXECUTION_LIMIT, Clients
from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, Outcome, all_failed
from eventbridge_pipes.path import UnresolvedError
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes that a synchronous invocation may carry. No batch is larger, whatever its target."""

_INTERNAL = {
    "InternalError",
    "InternalException",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}
"""Error codes of single entries that are the fault of the service."""

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
"""A target or an enrichment. Hands over all messages, in their order, in as many calls as the
service needs.

The execution log sees the calls. Errors of the caller's making are failed attempts; those of the
service are service errors.
"""


@dataclass(frozen=True)
class TargetKind:
    """All that is known about a kind of target.

    `label` and `noun` name it in messages. The limits of a batch are those of
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """

    service: str
    """As in the ARN: it is the endpoint prefix of the service too."""
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
    violations: Callable[[Arn, Members, str], Problems] = lambda arn, parameters, account: ()
    """Checks the ARN and the parameters of a target, given the account of the pipe."""
    batch_limit: int | None = None
    """In records; None if only the payload limits a batch."""
    payload_limit: Callable[[Pipe], int] = lambda pipe: PAYLOAD_LIMIT
    """In bytes."""
    enrichment_label: str = ""
    """Names it as an enrichment in messages; empty if it cannot be one."""

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


class UnsendableError(Exception):
    """A message cannot be made an entry; the text says why."""


@dataclass(slots=True)
class Entry:
    """One message in the form of a batch API.

    `size` is in bytes, as the service counts them. Entries of one `group` keep their order.
    `timestamp` is in milliseconds, where the API has one. BatchTarget sets the `position`, which is
    the message's among those that are sent.
    """

    request: Mapping[str, Any]
    size: int
    group: str | None = None
    timestamp: int = 0
    position: int = field(default=0, init=False)


FailedEntries = Callable[[str, Members, int], dict[int, FailedCall]]
"""Returns which entries of a call failed and why, by their places in it. It gets the service, the
answer and the number of entries. Raises UnreadableAnswerError."""


@dataclass(frozen=True, kw_only=True)
class BatchKind(TargetKind):
    """A kind of target whose API takes several messages in a call: at most `batch_limit`."""

    entries: str
    """The member of a request that has the entries."""
    failed: FailedEntries
    """`failed_by_place` or `failed_by_id`, unless the API is like no other."""
    call_bytes: int
    """The limit of all entries of a call together, as `Entry.size` counts them."""
    entry_bytes: int = 0
    """The limit of an entry, if it is not that of a call."""
    call_span: int = 0
    """How many milliseconds the timestamps of a call's entries may be apart."""


@dataclass(frozen=True)
class BatchTarget:
    """A target of such a kind.

    `entry` makes an entry of a message; it may raise UnsendableError or UnresolvedError.
    `operation` is the method of the client that makes a call. `request` returns the parameters of
    a call beside the entries. Both may raise what boto3 raises, and UnreadableAnswerError.
    """

    kind: BatchKind
    entry: Callable[[Message], Entry]
    operation: Callable[..., Any]
    request: Callable[[], Members]

    def send(self, messages: Messages, execution: ExecutionTelemetry) -> Outcome:
        """Send all messages that can be sent: also those after one that failed.

        Entries are sent in the order of their timestamps, then of the messages.
        After a service error nothing more is sent. If only some entries failed with one, the whole
        is a service error, which does not count as an attempt of any record.
        """
        failures: dict[int, FailedCall] = {}
        entries = sorted(self._entries(messages, failures), key=lambda entry: entry.timestamp)
        calls = self._calls([entry for entry in entries if entry.position not in failures])
        for call in calls:
            due = call
            if failures:
                # The first entry of a group that failed holds back those behind it.
                before = [e for e in reversed(entries) if e.position in failures]
                failed_at = {e.group: e.position for e in before}
                failed_at.pop(None, None)
                held = [e for e in call if failed_at.get(e.group, e.position) < e.position]
                failures |= {e.position: failures[failed_at[e.group]] for e in held}
                due = [e for e in call if e.position not in failures]
            try:
                failed = self._call(due, execution) if due else {}
            except errors.CallError as error:
                failed_call = call_error(self.kind.service, error)
                if failed_call.service_error:
                    due += chain.from_iterable(calls)
                failed = dict.fromkeys(range(len(due)), failed_call)
            for place, entry_error in failed.items():
                failures[due[place].position] = entry_error
        if not failures:
            return SUCCEEDED
        _, shown = min(failures.items(), key=lambda item: (not item[1].service_error, item[0]))
        error_of_call = shown if shown.service else None
        return Outcome(frozenset(failures), shown.reason, error_of_call, shown.service_error)

    def _entries(self, messages: Messages, failures: dict[int, FailedCall]) -> Iterator[Entry]:
        """Yield the entries. Messages that cannot be sent are added to `failures`."""
        limit = self.kind.entry_bytes or self.kind.call_bytes
        for position, message in enumerate(messages):
            try:
                entry = self.entry(message)
            except (UnresolvedError, UnsendableError) as error:
                failures[position] = FailedCall("", str(error))
                continue
            entry.position = position
            if entry.size > limit:
                reason = f"a message of {entry.size} bytes is over the limit of {limit}"
                failures[position] = FailedCall("", reason)
            yield entry

    def _calls(self, entries: Iterable[Entry]) -> Iterator[list[Entry]]:
        """Cut the entries into calls, in their order."""
        kind, size = self.kind, 0
        call: list[Entry] = []
        for entry in entries:
            full = len(call) == kind.batch_limit or size + entry.size > kind.call_bytes
            if call and (full or entry.timestamp - call[0].timestamp > kind.call_span):
                yield call
                call, size = [], 0
            call.append(entry)
            size += entry.size
        if call:
            yield call

    def _call(self, entries: list[Entry], execution: ExecutionTelemetry) -> dict[int, FailedCall]:
        kind = self.kind
        sent = [entry.request for entry in entries]
        if kind.failed is failed_by_id:
            sent = [{"Id": str(place), **request} for place, request in enumerate(sent)]
        request = {**self.request(), kind.entries: sent}
        answer = call_service(kind.service, self.operation, request, execution)
        return kind.failed(kind.service, answer, len(entries))


def failed_by_id(service: str, answer: Members, count: int) -> dict[int, FailedCall]:
    """Return which entries failed of a call of SQS or SNS, whose entries have their places as ids.

    Raises UnreadableAnswerError unless the answer has a result for each entry.
    """
    failed = _items(service, answer, "Failed") if answer.get("Failed") else []
    succeeded = _items(service, answer, "Successful") if answer.get("Successful") else []
    places = {str(place): place for place in range(count)}
    if {entry.get("Id") for entry in [*succeeded, *failed]} != places.keys():
        raise UnreadableAnswerError(service=service, member="a result for each entry")
    return {
        places[one["Id"]]: reported_error(
            service, one.get("Code"), one.get("Message"), answer, not one.get("SenderFault")
        )
        for one in failed
    }


def failed_by_place(member: str) -> FailedEntries:
    """Return what finds the entries that failed in the answer of Kinesis or EventBridge.

    `member` names the list of their results. Raises UnreadableAnswerError.
    """

    def failed(service: str, answer: Members, count: int) -> dict[int, FailedCall]:
        results = _items(service, answer, member)
        if len(results) != count:
            raise UnreadableAnswerError(service=service, member="a result for each entry")
        return {
            place: reported_error(service, code, one.get("ErrorMessage"), answer, code in _INTERNAL)
            for place, one in enumerate(results)
            if (code := one.get("ErrorCode"))
        }

    return failed


def _items(service: str, answer: Members, member: str) -> list[dict[str, Any]]:
    found = answer.get(member)
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    raise UnreadableAnswerError(service=service, member=member)


@dataclass(frozen=True)
class InvokedTarget:
    """A target that takes all messages in one call, as a JSON array.

    `call` makes the call with the array and returns the answer if the target is invoked for it,
    else nothing; the outcome, if the invocation failed. It raises what boto3 raises. After an error
    with one of the codes `not_ready` no record is at fault. `input_name` is for messages.
    """

    kind: TargetKind
    pipe: Pipe
    call: Callable[[bytes, Messages, ExecutionTelemetry], Answer]
    input_name: str = "a payload"
    not_ready: frozenset[str] = frozenset()

    def send(self, messages: Messages, execution: ExecutionTelemetry) -> Answer:
        """Make one call.

        Errors of the caller's making (no such function, no permission, too large a payload) are
        failed attempts, as on AWS; those of the service are service errors. If the call waits for
        the result, no answer in time is a failed attempt too.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
        """
        body = payload(messages).encode()
        limit = self.kind.payload_limit(self.pipe)
        if len(body) > limit:
            reason = f"{self.input_name} of {len(body)} bytes is over the limit of {limit}"
            return all_failed(messages, reason)
        try:
            return self.call(body, messages, execution)
        except errors.CallError as error:
            failed = call_error(self.kind.service, error)
            if self.kind.waits(self.pipe) and failed.timed_out:
                reason = f"no answer within {EXECUTION_LIMIT} seconds"
                return all_failed(messages, reason, failed)
            service_error = failed.service_error or failed.details in self.not_ready
            return all_failed(messages, failed.reason, failed, service_error)


def other_account(what: str, account: str) -> str:
    """Return the message about `what` of another account than that of the pipe, `account`."""
    return f"The {what} must be in the account of the pipe, {account}"


def not_supported(what: str, instead: str) -> str:
    return f"{what} is not supported by this implementation of EventBridge Pipes; use {instead}"


def payload(messages: Messages) -> str:
    """Return the JSON array of `messages`, as a function or a state machine gets it."""
    return json_array(m.body if m.is_json else quoted(m.body) for m in messages)


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


def call_error(service: str, error: BaseException) -> FailedCall:
    """Describe an error of boto3 for the execution log."""
    answer: Any = error.response if isinstance(error, ClientError) else {}
    code, message = errors.code_of(error), errors.message_of(error)
    described = reported_error(service, code, message, answer, errors.is_service_error(error))
    # The request was sent, and no answer came in time.
    return replace(described, timed_out=isinstance(error, ReadTimeoutError))


def reported_error(
    service: str, code: Any, message: Any, answer: Members, service_error: bool = False
) -> FailedCall:
    """Describe an error that an answer reports. Throttling is always a service error."""
    metadata, text = answer.get("ResponseMetadata", {}), str(message or "")
    status, request_id = metadata.get("HTTPStatusCode", 0), metadata.get("RequestId", "")
    throttled = errors.is_throttling_code(str(code)) or status == 429
    at_fault = service_error or throttled
    return FailedCall(service, text, status, str(code), request_id, throttled, False, at_fault)
