"""What the workers of a pipe tell whoever watches it. `Unwatched` listens to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from eventbridge_pipes.outcome import CallError, Outcome
from eventbridge_pipes.record import Record


class Stage(StrEnum):
    ENRICHMENT = "Enrichment"
    TARGET = "Target"


class Step(StrEnum):
    """What happens in a stage. With the stage before it, it is the log's message type.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html#eb-pipes-logs-level
    """

    STAGE_ENTERED = "StageEntered"
    STAGE_SUCCEEDED = "StageSucceeded"
    STAGE_PARTIALLY_FAILED = "StagePartiallyFailed"
    STAGE_FAILED = "StageFailed"
    STAGE_SKIPPED = "StageSkipped"
    TRANSFORMATION_STARTED = "TransformationStarted"
    TRANSFORMATION_SUCCEEDED = "TransformationSucceeded"
    TRANSFORMATION_FAILED = "TransformationFailed"
    INVOCATION_STARTED = "InvocationStarted"
    INVOCATION_SUCCEEDED = "InvocationSucceeded"
    INVOCATION_PARTIALLY_FAILED = "InvocationPartiallyFailed"
    INVOCATION_FAILED = "InvocationFailed"
    INVOCATION_SKIPPED = "InvocationSkipped"


class Execution(Protocol):
    """One attempt to bring records through the pipe. It is its own `targets.target.Calls`."""

    wanted: bool

    def request(self, parameters: Mapping[str, Any]) -> None: ...

    def response(self, answer: Mapping[str, Any]) -> None: ...

    def step(
        self,
        stage: Stage,
        step: Step,
        payload: Callable[[], str] | None = None,
        error: CallError | None = None,
    ) -> None:
        """`payload` makes the JSON of the events at this point; it is called when it is wanted.

        AWS shows it at `TRANSFORMATION_SUCCEEDED` and `STAGE_SUCCEEDED` only, and that of the
        records as they came when the execution starts.
        """
        ...

    def ended(self, outcome: Outcome) -> None:
        """The attempt is over, however it ended; some or all records may be sent again."""
        ...


class Watch(Protocol):
    """One pipe, as long as it runs. Safe to share between the threads of its shards."""

    def read(self, records: Sequence[Record]) -> None:
        """Records came from the source; filters have not seen them yet."""
        ...

    def filtered(self, count: int) -> None: ...

    def given_up(self, count: int, dead_lettered: bool) -> None: ...

    def execution(self, records: Sequence[Record]) -> Execution:
        """An attempt begins."""
        ...

    def shard_begun(self, shard_id: str, lag: Callable[[], float]) -> None:
        """`lag` tells, whenever it is asked, how far the pipe is behind the shard, in seconds."""
        ...

    def shard_ended(self, shard_id: str) -> None: ...


class UnwatchedExecution:
    wanted = False

    def request(self, parameters: Mapping[str, Any]) -> None:
        pass

    def response(self, answer: Mapping[str, Any]) -> None:
        pass

    def step(
        self,
        stage: Stage,
        step: Step,
        payload: Callable[[], str] | None = None,
        error: CallError | None = None,
    ) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        pass


class Unwatched:
    """See `Watch`."""

    def read(self, records: Sequence[Record]) -> None:
        pass

    def filtered(self, count: int) -> None:
        pass

    def given_up(self, count: int, dead_lettered: bool) -> None:
        pass

    def execution(self, records: Sequence[Record]) -> Execution:
        return UnwatchedExecution()

    def shard_begun(self, shard_id: str, lag: Callable[[], float]) -> None:
        pass

    def shard_ended(self, shard_id: str) -> None:
        pass
