"""A pipe: its definition and its state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from eventbridge_pipes.arn import Arn, Scope


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
        return self in (State.RUNNING, State.STOPPED) or self.endswith("_FAILED")


@dataclass(frozen=True)
class Pipe:
    """One pipe. Parameters and log configuration have the shape of the API's model.

    It is known by its ARN. Times are seconds since the epoch; `desired` is RUNNING or STOPPED.
    While an update is in progress, `update` is the pipe as it will be, and this one is the pipe as
    it was. `kept_running` says of a pipe that is UPDATING or UPDATE_FAILED whether it was running
    before.
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
    def scope(self) -> Scope:
        return Arn.parse(self.arn).scope

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
    def dead_letter_arn(self) -> str | None:
        """Where a stream's pipe sends what it gives up on; a queue has one of its own."""
        arn: str | None = self.stream_parameters.get("DeadLetterConfig", {}).get("Arn")
        return arn

    @property
    def log_group_arn(self) -> str | None:
        """Where the execution log goes; None when there is to be none."""
        configuration = self.log_configuration or {"Level": "OFF"}
        if configuration["Level"] == "OFF":
            return None
        return str(configuration["CloudwatchLogsLogDestination"]["LogGroupArn"])

    @property
    def filters(self) -> tuple[str, ...]:
        """The texts of the patterns; none lets everything pass."""
        criteria = self.source_parameters.get("FilterCriteria", {})
        return tuple(f["Pattern"] for f in criteria.get("Filters", ()) if "Pattern" in f)

    @property
    def stream_parameters(self) -> Mapping[str, Any]:
        """How the stream is read, as given; empty when the source is a queue."""
        given = self.source_parameters
        return given.get("KinesisStreamParameters") or given.get("DynamoDBStreamParameters") or {}

    @property
    def lanes(self) -> int:
        """How many batches of a shard are under way at once."""
        return int(self.stream_parameters.get("ParallelizationFactor", 1))
