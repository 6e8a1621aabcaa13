"""The ten operations, and the pipes that they make of their requests."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eventbridge_pipes.api.model import ApiError, Members, ValidationError, Violation
from eventbridge_pipes.api.rules import check, default_batch_size, tag_violations
from eventbridge_pipes.arn import Arn, Scope
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.sources import source_kind
from eventbridge_pipes.store import Store
from eventbridge_pipes.targets import target_kind, target_kind_of

LIST_LIMIT = 100
PIPE_LIMIT = 1000
"""Pipes that an account may have in a Region."""

TAG_LIMIT = 50


class PipeNotFoundError(ApiError, code="NotFoundException", status=404):
    """There is no pipe of that name."""


class ConflictError(ApiError, code="ConflictException", status=409):
    """The pipe is not in a state that allows the operation, or it exists already."""


class QuotaExceededError(ApiError, code="ServiceQuotaExceededException", status=402):
    """There are as many pipes as an account may have."""


@dataclass
class PipesService:
    """What each operation does to the pipes of `scope`, under the name that boto3 gives it.

    Requests are taken to satisfy the model. Copies for other scopes share `one_at_a_time`.
    """

    store: Store
    lifecycle: Lifecycle
    scope: Scope
    now: Callable[[], float] = time.time
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def create_pipe(self, request: Members) -> Members:
        check(request, self.scope)
        name = request["Name"]
        with self.one_at_a_time:
            if self.store.pipe(self.scope.pipe_arn(name)):
                raise ConflictError(f"Pipe {name} already exists.", **_resource(name))
            if len(self._pipes()) >= PIPE_LIMIT:
                message = f"An account has at most {PIPE_LIMIT} pipes."
                # AWS's code of this quota is not published; a name says what is meant.
                quota = {"serviceCode": "pipes", "quotaCode": "PipesPerAccount"}
                raise QuotaExceededError(message, **_resource(name), **quota)
            pipe = new_pipe(request, self.scope, self.now())
            # This is the only time that AWS shows to the millisecond.
            return {**self._settle(pipe), "LastModifiedTime": round(pipe.modified, 3)}

    def describe_pipe(self, request: Members) -> Members:
        return described(self._found(request["Name"]).updated)

    def update_pipe(self, request: Members) -> Members:
        with self.one_at_a_time:
            pipe = self._settled(request["Name"])
            definition = merged(pipe, request)
            check(definition, self.scope)
            update = updated_pipe(definition, self.now())
            pipe = replace(pipe, update=update, kept_running=pipe.runs, modified=update.modified)
            return self._settle(replace(pipe, current=State.UPDATING))

    def delete_pipe(self, request: Members) -> Members:
        return self._move(request["Name"], State.DELETING, State.STOPPED)

    def start_pipe(self, request: Members) -> Members:
        """Starting a pipe that runs changes nothing: whether AWS refuses it is not documented."""
        return self._move(request["Name"], State.STARTING, State.RUNNING)

    def stop_pipe(self, request: Members) -> Members:
        """Stopping a pipe that is stopped changes nothing, as with `start_pipe`."""
        return self._move(request["Name"], State.STOPPING, State.STOPPED)

    def list_pipes(self, request: Members) -> Members:
        pipes = [pipe.updated for pipe in self._pipes()]
        matching = [pipe for pipe in pipes if _matches(pipe, request)]
        shown, token = page(matching, request.get("Limit", LIST_LIMIT), request.get("NextToken"))
        return {"Pipes": [described(pipe) for pipe in shown], "NextToken": token}

    def list_tags_for_resource(self, request: Members) -> Members:
        return {"tags": self._tagged(request).tags}

    def tag_resource(self, request: Members) -> Members:
        if violations := list(tag_violations(request["tags"])):
            raise ValidationError(violations)
        with self.one_at_a_time:
            pipe = self._tagged(request)
            tags = {**pipe.tags, **request["tags"]}
            if len(tags) > TAG_LIMIT:
                message = f"A pipe has at most {TAG_LIMIT} tags; this would make {len(tags)}"
                raise ValidationError([Violation("tags", message)])
            self.store.change(pipe.arn, tags=tags)
        return {}

    def untag_resource(self, request: Members) -> Members:
        with self.one_at_a_time:
            pipe = self._tagged(request)
            kept = {k: v for k, v in pipe.tags.items() if k not in request["tagKeys"]}
            self.store.change(pipe.arn, tags=kept)
        return {}

    def _move(self, name: str, passing: State, desired: State) -> Members:
        with self.one_at_a_time:
            pipe = self._settled(name)
            if passing is not State.DELETING and pipe.current is desired:
                return described(pipe)
            changed = replace(pipe, current=passing, desired=desired, modified=self.now())
            return self._settle(changed)

    def _settle(self, pipe: Pipe) -> Members:
        """Store `pipe`, which is in a passing state, and have it leave that state."""
        self.store.save(pipe)
        self.lifecycle.settle(pipe)
        return described(pipe.updated)

    def _pipes(self) -> list[Pipe]:
        return [pipe for pipe in self.store.pipes() if pipe.scope == self.scope]

    def _found(self, name: str, arn: str | None = None) -> Pipe:
        pipe = self.store.pipe(self.scope.pipe_arn(name))
        if pipe is None or arn not in (None, pipe.arn):
            raise PipeNotFoundError(f"Pipe {name} does not exist.")
        return pipe

    def _settled(self, name: str) -> Pipe:
        pipe = self._found(name)
        if not pipe.current.settled:
            message = f"Pipe {name} is {pipe.current}. Try again when that has ended."
            raise ConflictError(message, **_resource(name))
        return pipe

    def _tagged(self, request: Members) -> Pipe:
        arn = request["resourceArn"]
        return self._found(arn.rpartition(":pipe/")[2], arn)


def _resource(name: str) -> dict[str, str]:
    return {"resourceId": name, "resourceType": "Pipe"}


def _matches(pipe: Pipe, request: Members) -> bool:
    return (
        pipe.name.startswith(request.get("NamePrefix", ""))
        and pipe.source.startswith(request.get("SourcePrefix", ""))
        and pipe.target.startswith(request.get("TargetPrefix", ""))
        and request.get("DesiredState", pipe.desired) == pipe.desired
        and request.get("CurrentState", pipe.current) == pipe.current
    )


def page(pipes: Sequence[Pipe], limit: int, token: str | None) -> tuple[Sequence[Pipe], str | None]:
    """The `limit` pipes after the one that `token` stands for, and the token of the next page.

    `pipes` are in order of name. A token stands for a name, so pipes that are created or deleted
    between two pages do not shift the rest. Raises ValidationError for an invalid token.
    """
    try:
        after = base64.b64decode((token or "").encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        message = "The NextToken is not valid: use the one that the previous page came with"
        raise ValidationError([Violation("nextToken", message)]) from None
    rest = [pipe for pipe in pipes if pipe.name > after]
    shown = rest[:limit]
    more = len(rest) > limit
    return shown, base64.urlsafe_b64encode(shown[-1].name.encode()).decode() if more else None


# From the members of a request to a pipe, and from a pipe to the members of a response

_ATTRIBUTES = {
    "Arn": "arn",
    "Name": "name",
    "DesiredState": "desired",
    "CurrentState": "current",
    "StateReason": "reason",
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "Description": "description",
    "Source": "source",
    "SourceParameters": "source_parameters",
    "Enrichment": "enrichment",
    "EnrichmentParameters": "enrichment_parameters",
    "Target": "target",
    "TargetParameters": "target_parameters",
    "RoleArn": "role_arn",
    "LogConfiguration": "log_configuration",
    "Tags": "tags",
}
"""The members of DescribePipe's response, and the attributes of a pipe that they show."""


def described(pipe: Pipe) -> dict[str, Any]:
    """A pipe as DescribePipe shows it, where three members are there even when they are empty.

    Times are whole seconds. The other operations answer with those of these members that the model
    gives their responses.
    """
    shown = {member: getattr(pipe, attribute) for member, attribute in _ATTRIBUTES.items()}
    return {**shown, **{time: int(shown[time]) for time in ("CreationTime", "LastModifiedTime")}}


def new_pipe(request: Members, scope: Scope, now: float) -> Pipe:
    """The pipe that a valid CreatePipe request asks for."""
    arn = scope.pipe_arn(request["Name"])
    return _pipe_of({**request, "Arn": arn, "CreationTime": now, "LastModifiedTime": now})


def updated_pipe(definition: Members, now: float) -> Pipe:
    """The pipe of a valid `definition` that `merged` made."""
    return _pipe_of({**definition, "CurrentState": State.UPDATING, "LastModifiedTime": now})


def merged(pipe: Pipe, request: Members) -> dict[str, Any]:
    """The definition that UpdatePipe's `request` makes of `pipe`.

    What the request leaves out stays. The parameters of one service are replaced as a whole, and
    so is the log configuration; the starting position, which no update can carry, stays.
    https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipe.html
    """
    before = {name: value for name, value in described(pipe).items() if value is not None}
    enrichment = {**pipe.enrichment_parameters, **request.get("EnrichmentParameters", {})}
    return {
        **before,
        **request,
        "SourceParameters": _merged_source(pipe, request),
        "EnrichmentParameters": enrichment,
        "TargetParameters": _merged_target(pipe, request),
    }


def _merged_source(pipe: Pipe, request: Members) -> dict[str, Any]:
    parameters = {**pipe.source_parameters, **request.get("SourceParameters", {})}
    service = source_kind(pipe).parameters
    before = pipe.source_parameters[service]
    kept = {k: v for k, v in before.items() if k.startswith("StartingPosition")}
    return {**parameters, service: {**kept, **parameters[service]}}


def _merged_target(pipe: Pipe, request: Members) -> dict[str, Any]:
    """A pipe that changes to another kind of target leaves the parameters of the old one behind.

    No request could take them off, and they would not belong to the new one.
    """
    kept = dict(pipe.target_parameters)
    kind = target_kind(pipe)
    target = Arn.parse(request.get("Target", pipe.target))
    if kind is not target_kind_of(target):
        kept.pop(kind.parameters, None)
    return {**kept, **request.get("TargetParameters", {})}


def _pipe_of(definition: Members) -> Pipe:
    """The pipe of a valid definition. Empty texts and an empty filter are left out.

    The batch size is added, for AWS shows it even when none was given. So a queue's pipe has its
    SqsQueueParameters even when no SourceParameters were given, as the acceptance tests of
    hashicorp/terraform-provider-aws (pipes, basicSQS) found it.
    """
    given = {name: value for name, value in definition.items() if value not in (None, "")}
    given["DesiredState"] = State(given.get("DesiredState", State.RUNNING))
    for name in ("EnrichmentParameters", "TargetParameters"):
        given[name] = _without_empty_texts(given.get(name, {}))
    pipe = Pipe(**{_ATTRIBUTES[name]: given[name] for name in _ATTRIBUTES.keys() & given.keys()})
    source = source_kind(pipe)
    parameters = dict(pipe.source_parameters)
    if not parameters.get("FilterCriteria", {}).get("Filters"):
        parameters.pop("FilterCriteria", None)
    size = {"BatchSize": default_batch_size(source, target_kind(pipe))}
    parameters[source.parameters] = {**size, **parameters.get(source.parameters, {})}
    return replace(pipe, source_parameters=parameters)


def _without_empty_texts(parameters: Members) -> dict[str, Any]:
    return {
        name: _without_empty_texts(value) if isinstance(value, dict) else value
        for name, value in parameters.items()
        if value != ""
    }
