"""A pipe: its definition, its state, and the typed view that the workers read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

DEFAULT_STREAM_BATCH = 100


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
    """One pipe. `source_parameters` and `target_parameters` have the shape of the API's model.

    Times are seconds since the epoch; `desired` is RUNNING or STOPPED.
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
    tags: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Pipe:
        members = json.loads(text)
        members["desired"] = State(members["desired"])
        members["current"] = State(members["current"])
        return cls(**members)

    @property
    def stream(self) -> StreamParameters:
        return StreamParameters.of(self.source_parameters["KinesisStreamParameters"])


@dataclass(frozen=True)
class StreamParameters:
    """How a stream is read, with AWS's defaults; -1 means without limit. Durations in seconds."""

    starting_position: str
    starting_timestamp: float | None
    batch_size: int
    window: int
    maximum_retries: int
    maximum_age: int
    bisect: bool
    dead_letter_arn: str | None

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> StreamParameters:
        return cls(
            starting_position=members["StartingPosition"],
            starting_timestamp=members.get("StartingPositionTimestamp"),
            batch_size=members.get("BatchSize", DEFAULT_STREAM_BATCH),
            window=members.get("MaximumBatchingWindowInSeconds", 0),
            maximum_retries=members.get("MaximumRetryAttempts", -1),
            maximum_age=members.get("MaximumRecordAgeInSeconds", -1),
            bisect=members.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT",
            dead_letter_arn=members.get("DeadLetterConfig", {}).get("Arn"),
        )
