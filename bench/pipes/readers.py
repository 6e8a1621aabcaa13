"""Who reads the stream: a pipe, and its peer, MiniStack's own event source mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.figures import until
from bench.pipes.stand import ROLE, Stand
from bench.pipes.streams import stream_arn


def create(stand: Stand, stream: str, target_arn: str, batch: int, name: str, state: str) -> None:
    """A pipe that is to be in `state`, once `wait_for` has returned."""
    source = {"StartingPosition": "TRIM_HORIZON", "BatchSize": batch}
    stand.client("pipes").create_pipe(
        Name=name,
        Source=stream_arn(stream),
        Target=target_arn,
        RoleArn=ROLE,
        DesiredState=state,
        SourceParameters={"KinesisStreamParameters": source},
    )


def wait_for(stand: Stand, name: str, state: str | None) -> None:
    """Until the pipe is in `state`; None is for one that is gone."""
    client = stand.client("pipes")
    until(lambda: _state(client, name) == state)


@contextmanager
def pipe(stand: Stand, stream: str, target_arn: str, batch: int) -> Iterator[Callable[[], None]]:
    """A pipe that is stopped until what this yields is called. It is gone afterwards."""
    name = f"{stream}-pipe"
    create(stand, stream, target_arn, batch, name, "STOPPED")
    wait_for(stand, name, "STOPPED")
    client = stand.client("pipes")
    yield lambda: client.start_pipe(Name=name)
    client.delete_pipe(Name=name)
    wait_for(stand, name, None)


def _state(client: Any, name: str) -> str | None:
    try:
        state: str = client.describe_pipe(Name=name)["CurrentState"]
        return state
    except client.exceptions.NotFoundException:
        return None


@contextmanager
def mapping(stand: Stand, stream: str, function: str, batch: int) -> Iterator[Callable[[], None]]:
    """An event source mapping, made by what this yields. It is gone afterwards."""
    client = stand.client("lambda")
    made: list[str] = []

    def make() -> None:
        answer = client.create_event_source_mapping(
            EventSourceArn=stream_arn(stream),
            FunctionName=function,
            StartingPosition="TRIM_HORIZON",
            BatchSize=batch,
        )
        made.append(answer["UUID"])

    yield make
    for uuid in made:
        client.delete_event_source_mapping(UUID=uuid)
