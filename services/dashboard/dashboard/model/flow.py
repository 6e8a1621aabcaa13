"""The nodes of the picture: their figures and their health. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from dashboard.model.figures import Figures
from dashboard.model.pipeline import BATCHES, PUT, WRITTEN, Pipeline
from operations.numbers import counted

BEHIND_SECONDS = 10.0
FAILURE_SECONDS = 60
STACK = ("stream", "function", "table")
SILENT_SECONDS = 5.0
ROUND_SECONDS = 4.0
"""The stream and the log are read in turns: a younger event may have an outcome already."""


class Health(Enum):
    """The health of a node, with the word and the icon that show it beside the colour."""

    FLOWING = ("flowing", "play_circle")
    IDLE = ("idle", "remove_circle_outline")
    STOPPED = ("stopped", "pause_circle")
    ENDED = ("not running", "stop_circle")
    BEHIND = ("behind", "schedule")
    TROUBLE = ("trouble", "warning")
    DOWN = ("not reachable", "cancel")

    def __init__(self, word: str, icon: str) -> None:
        self.word = word
        self.icon = icon


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the picture. `facts` are pairs of name and value; `word` replaces the health's."""

    key: str
    title: str
    health: Health
    facts: Sequence[tuple[str, str]]
    note: str = ""
    word: str = ""


def nodes(pipeline: Pipeline, now: float) -> list[Node]:
    """Return the nodes in the order of the flow, the two queues last."""
    figures = pipeline.figures
    found = [
        _producer(pipeline, now),
        _stream(pipeline, now),
        _pipe(pipeline, now),
        _function(pipeline, now),
        _table(pipeline, now),
        _queue("dead_letters", "Dead-letter queue", figures.dead_letters),
        _queue("rejected", "Rejected queue", figures.rejected),
    ]
    return [_with_trouble(node, figures) for node in found]


def silent_since(figures: Figures, now: float) -> float | None:
    """Return since when no AWS API has answered, once that is too long."""
    last = max((figures.answered_at.get(key, 0.0) for key in STACK), default=0.0)
    return last if 0 < last < now - SILENT_SECONDS else None


def _producer(pipeline: Pipeline, now: float) -> Node:
    figures, rate = pipeline.figures, _put_rate(pipeline, now)
    health = _flows(rate)
    if figures.producer_paused:
        health = Health.STOPPED
    if figures.producer_runs is False:
        health = Health.ENDED
    facts = [("rate", per_second(rate))]
    if figures.producer_rate is not None:
        facts.append(("set to", f"{figures.producer_rate:,g}/s"))
    return Node("producer", "Producer", health, facts)


def _stream(pipeline: Pipeline, now: float) -> Node:
    rate = _put_rate(pipeline, now)
    health = _flows(rate, pipeline.oldest_waiting(now))
    facts = [("rate", per_second(rate)), ("backlog", f"{pipeline.waiting:,}")]
    if pipeline.figures.shards is not None:
        facts.append(("shards", str(pipeline.figures.shards)))
    return Node("stream", "Stream", health, facts)


def _pipe(pipeline: Pipeline, now: float) -> Node:
    figures, lag = pipeline.figures, pipeline.oldest_waiting(now)
    if figures.pipe_lag is not None and lag < ROUND_SECONDS:
        lag = figures.pipe_lag
    rate = pipeline.counts.rate(now, ["applied", "duplicate", "not_found", "rejected"])
    failed = pipeline.counts.total(now, "pipe_failed", FAILURE_SECONDS)
    health, note = _flows(rate, lag), ""
    if failed or figures.errors.get("pipe"):
        health = Health.TROUBLE
    if figures.pipe_state not in (None, "RUNNING"):
        state = str(figures.pipe_state)
        health = Health.TROUBLE if state.endswith("_FAILED") else Health.STOPPED
        note = figures.pipe_reason or state.lower().replace("_", " ")
    facts = [("rate", per_second(rate)), ("lag", seconds(lag)), ("failed", f"{failed:,}/min")]
    return Node("pipe", "Pipe", health, facts, note)


def _function(pipeline: Pipeline, now: float) -> Node:
    figures, batches = pipeline.figures, pipeline.counts.rate(now, [BATCHES])
    failed = pipeline.counts.total(now, "failed", FAILURE_SECONDS)
    health = Health.TROUBLE if failed or figures.errors.get("function") else _flows(batches)
    facts = [("batches", per_second(batches))]
    if figures.batch_ms is not None and figures.batch_size is not None:
        records = counted(figures.batch_size, "record")
        facts.append(("last", f"{records} in {figures.batch_ms:,.0f} ms"))
    facts.append(("failed", f"{failed:,}/min"))
    return Node("function", "Function", health, facts)


def _table(pipeline: Pipeline, now: float) -> Node:
    rate = pipeline.counts.rate(now, [WRITTEN])
    rows = f"{len(pipeline.products):,}" if pipeline.products.version else "unknown"
    facts = [("writes", per_second(rate)), ("rows", rows)]
    return Node("table", "Table", _flows(rate), facts)


def _queue(key: str, title: str, depth: int | None) -> Node:
    health = Health.TROUBLE if depth else Health.IDLE
    word = "unknown" if depth is None else counted(depth, "message") if depth else "empty"
    return Node(key, title, health, [], word=word)


def _with_trouble(node: Node, figures: Figures) -> Node:
    if errors := figures.errors.get(node.key):
        node = replace(node, facts=[*node.facts, ("errors", f"{errors:,} in 5 min")])
    if node.key in figures.trouble:
        node = replace(node, health=Health.DOWN, note=figures.trouble[node.key], word="")
    # A note replaces the last facts, so the boxes keep their height.
    return replace(node, facts=node.facts[:2]) if node.note else node


def _put_rate(pipeline: Pipeline, now: float) -> float:
    """Return the latest known rate: a fast producer can be ahead of this page's reader."""
    return pipeline.counts.rate(now - pipeline.figures.unread_seconds, [PUT])


def _flows(rate: float, lag: float = 0.0) -> Health:
    if lag > BEHIND_SECONDS:
        return Health.BEHIND
    return Health.FLOWING if rate > 0 else Health.IDLE


def per_second(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 100 else f"{rate:,.1f}/s"


def seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:,.0f} ms"
    return f"{value:,.1f} s" if value < 120 else f"{value / 60:,.0f} min"
