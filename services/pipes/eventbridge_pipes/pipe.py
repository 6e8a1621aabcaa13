"""A pipe: its definition, its state, and the typed view that the workers read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.execution.batch import BatchRules
from eventbridge_pipes.sources.kinds import SourceKind
from eventbridge_pipes.targets.kinds import TargetKind
from eventbridge_pipes.targets.limits import payload_limit


class State(StrEnum):
    """Where a pipe is in its life. A settled state stays until somebody asks for another."""

    CREATING = "CREATING"
    STARTING = "STARTING"
    UPDATING = "UPDATING"
    STOPPING = "STOPPING"
    DELETING = "DELETING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    CREATE_FAILED = "CREATE_FAILED"
    START_FAILED = "START_FAILED"
    UPDATE_FAILED = "UPDATE_FAILED"

    @property
    def settled(self) -> bool:
        return self not in _PASSING


_PASSING = {State.CREATING, State.STARTING, State.UPDATING, State.STOPPING, State.DELETING}


@dataclass(frozen=True)
class Pipe:
    """One pipe. Parameters and log configuration have the shape of the API's model.

    Times are seconds since the epoch; `desired` is RUNNING or STOPPED. While an update is in
    progress, `update` is the pipe as it will be, and this one is the pipe as it was. `kept_running`
    says of a pipe that is UPDATING or UPDATE_FAILED whether it was running before.
    """

    name: str
    arn: str
    source: str
    target: str
    role_arn: str
    created: float
    modified: float
    desired: State = State.RUNNING
    current: State = State.CREATING
    reason: str | None = None
    description: str | None = None
    source_parameters: Mapping[str, Any] = field(default_factory=dict)
    target_parameters: Mapping[str, Any] = field(default_factory=dict)
    enrichment: str | None = None
    enrichment_parameters: Mapping[str, Any] = field(default_factory=dict)
    log_configuration: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    update: Pipe | None = None
    kept_running: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Pipe:
        return cls._from_members(json.loads(text))

    @classmethod
    def _from_members(cls, members: dict[str, Any]) -> Pipe:
        members["desired"] = State(members["desired"])
        members["current"] = State(members["current"])
        if members.get("update"):
            members["update"] = cls._from_members(members["update"])
        return cls(**members)

    @property
    def runs(self) -> bool:
        """Whether the service reads the source: a failed update leaves a running pipe running."""
        updating = self.current in (State.UPDATING, State.UPDATE_FAILED)
        return self.current is State.RUNNING or (updating and self.kept_running)

    @property
    def updated(self) -> Pipe:
        """The pipe as the update in progress makes it, or the pipe itself if there is none."""
        return replace(self.update, tags=self.tags) if self.update else self

    @property
    def kind(self) -> SourceKind:
        kind = SourceKind.of(Arn.parse(self.source))
        assert kind, f"{self.source} was never accepted as a source"  # noqa: S101
        return kind

    @property
    def target_kind(self) -> TargetKind:
        kind = TargetKind.of(Arn.parse(self.target))
        assert kind, f"{self.target} was never accepted as a target"  # noqa: S101
        return kind

    @property
    def waits_for_target(self) -> bool:
        """Whether a function or a state machine is invoked for its answer, as it is by default."""
        parameters = self.target_parameters.get(self.target_kind.parameters or "", {})
        return bool(parameters.get("InvocationType") != "FIRE_AND_FORGET")

    @property
    def dead_letter_arn(self) -> str | None:
        """Where a stream's pipe sends what it gives up on; a queue has one of its own."""
        return self.stream.dead_letter_arn if self.kind.is_stream else None

    @property
    def log_group_arn(self) -> str | None:
        """Where the execution log goes; None when there is to be none."""
        configuration = self.log_configuration or {"Level": "OFF"}
        if configuration["Level"] == "OFF":
            return None
        arn: str = configuration["CloudwatchLogsLogDestination"]["LogGroupArn"]
        return arn

    @property
    def filters(self) -> tuple[str, ...]:
        """The texts of the patterns; none lets everything pass."""
        criteria = self.source_parameters.get("FilterCriteria", {})
        return tuple(f["Pattern"] for f in criteria.get("Filters", ()) if "Pattern" in f)

    @property
    def batches(self) -> BatchRules:
        kind = self.kind
        members = self.source_parameters.get(kind.parameters, {})
        payload = payload_limit(Arn.parse(self.target), self.waits_for_target)
        if self.enrichment:
            payload = min(payload, payload_limit(Arn.parse(self.enrichment), waits=True))
        return BatchRules(
            size=members.get("BatchSize", kind.default_batch_size),
            window=members.get("MaximumBatchingWindowInSeconds", 0),
            payload=payload,
        )

    @property
    def stream(self) -> StreamParameters:
        """How the stream is read, when the source is one."""
        return StreamParameters.of(self.source_parameters[self.kind.parameters])


@dataclass(frozen=True)
class StreamParameters:
    """How a stream is read, with AWS's defaults; -1 means without limit. Durations in seconds.

    `lanes` is the ParallelizationFactor.
    """

    starting_position: str
    starting_timestamp: float | None = None
    lanes: int = 1
    maximum_retries: int = -1
    maximum_age: int = -1
    bisect: bool = False
    dead_letter_arn: str | None = None

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> StreamParameters:
        return cls(
            starting_position=members["StartingPosition"],
            starting_timestamp=members.get("StartingPositionTimestamp"),
            lanes=members.get("ParallelizationFactor", 1),
            maximum_retries=members.get("MaximumRetryAttempts", -1),
            maximum_age=members.get("MaximumRecordAgeInSeconds", -1),
            bisect=members.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT",
            dead_letter_arn=members.get("DeadLetterConfig", {}).get("Arn"),
        )
