"""The nodes of the picture: what each says, and how it is doing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from dashboard.model.figures import Figures
from dashboard.model.pipeline import BATCHES, PUT, WRITTEN, Pipeline
from operations.numbers import counted

BEHIND_SECONDS = 10.0
RECENT_SECONDS = 60
MINUTES_SECONDS = 300
"""Of what CloudWatch tells, minutes late."""
STACK = ("stream", "function", "table")
SILENT_SECONDS = 5.0
"""After which figures that none of the STACK's sources has renewed are old."""
ROUNDS_SECONDS = 4.0
"""The stream and the log are read in turns: an event that is younger may be done with."""


class Health(Enum):
    """The state of a node: its word, its symbol (never the colour alone), Quasar's icon."""

    FLOWING = ("flowing", "play_circle")
    IDLE = ("idle", "remove_circle_outline")
    STOPPED = ("stopped", "pause_circle")
    ENDED = ("not running", "stop_circle")
    BEHIND = ("behind", "schedule")
    TROUBLE = ("trouble", "warning")
    DOWN = ("not reachable", "cancel")

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def icon(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the picture. `facts` are (name, value) pairs; `word` replaces that of its state."""

    key: str
    title: str
    health: Health
    facts: Sequence[tuple[str, str]]
    note: str = ""
    word: str = ""


def nodes(pipeline: Pipeline, now: float) -> list[Node]:
    """In the order of the flow, the two queues last."""
    found = [
        _producer(pipeline, now),
        _stream(pipeline, now),
        _pipe(pipeline, now),
        _function(pipeline, now),
        _table(pipeline, now),
        _queue(pipeline, "dead_letters", "Dead-letter queue", pipeline.figures.dead_letters),
        _queue(pipeline, "rejected", "Rejected queue", pipeline.figures.rejected),
    ]
    # A note takes the place of the last fact: the boxes keep their height.
    return [replace(node, facts=node.facts[:2]) if node.note else node for node in found]


def silent_since(figures: Figures, now: float) -> float | None:
    """Since when no AWS API has answered, once that is too long: the figures are old then."""
    last = max((figures.answered_at.get(key, 0.0) for key in STACK), default=0.0)
    return last if 0 < last < now - SILENT_SECONDS else None


def _producer(pipeline: Pipeline, now: float) -> Node:
    figures, rate = pipeline.figures, _put_rate(pipeline, now)
    health = _flows(rate)
    if figures.producer_paused:
        health = Health.STOPPED
    if figures.producer_runs is False:
        health = Health.ENDED
    if "producer" in figures.trouble:
        health = Health.DOWN
    facts = [("rate", per_second(rate))]
    if figures.producer_rate is not None:
        facts.append(("set to", f"{figures.producer_rate:,g}/s"))
    return Node("producer", "Producer", health, facts, figures.trouble.get("producer", ""))


def _stream(pipeline: Pipeline, now: float) -> Node:
    lag = pipeline.oldest_waiting(now)
    rate = _put_rate(pipeline, now)
    health = Health.BEHIND if lag > BEHIND_SECONDS else _flows(rate)
    facts = [
        ("rate", per_second(rate)),
        ("backlog", f"{pipeline.waiting:,}"),
    ]
    if pipeline.figures.shards is not None:
        facts.append(("shards", str(pipeline.figures.shards)))
    return _unless_in_trouble(pipeline, Node("stream", "Stream", health, facts))


def _pipe(pipeline: Pipeline, now: float) -> Node:
    figures, counts = pipeline.figures, pipeline.counts
    lag = pipeline.oldest_waiting(now)
    if figures.pipe is not None and lag < ROUNDS_SECONDS:
        lag = figures.pipe.lag
    rate = pipeline.counts.rate(now, ["applied", "duplicate", "not_found", "rejected"])
    health = Health.BEHIND if lag > BEHIND_SECONDS else _flows(rate)
    failures = pipeline.counts.total(now, "pipe_failed", RECENT_SECONDS)
    if failures or (figures.pipe is None and counts.total(now, "pipe_failed", MINUTES_SECONDS)):
        health = Health.TROUBLE
    if figures.pipe_state not in (None, "RUNNING"):
        broken = (figures.pipe_state or "").endswith("_FAILED")
        health = Health.TROUBLE if broken else Health.STOPPED
    facts = [
        ("rate", per_second(rate)),
        ("lag", seconds(lag)),
        ("failed", f"{failures:,}/min"),
    ]
    note = ""
    if figures.pipe_state not in (None, "RUNNING"):
        note = figures.pipe_reason or f"{figures.pipe_state}".lower().replace("_", " ")
    return _unless_in_trouble(pipeline, Node("pipe", "Pipe", health, facts, note))


def _function(pipeline: Pipeline, now: float) -> Node:
    counts, figures = pipeline.counts, pipeline.figures
    failed = counts.total(now, "failed", RECENT_SECONDS)
    health = _flows(counts.rate(now, [BATCHES]))
    errors = counts.total(now, "function_errors", MINUTES_SECONDS)
    if failed or errors:
        health = Health.TROUBLE
    facts = [("batches", per_second(counts.rate(now, [BATCHES])))]
    if figures.batch_ms is not None and figures.batch_size is not None:
        records = counted(int(figures.batch_size), "record")
        facts.append(("last", f"{records} in {figures.batch_ms:,.0f} ms"))
    facts.append(("failed", f"{failed:,}/min"))
    if errors:
        facts.append(("errors", f"{errors:,} in 5 min"))
    return _unless_in_trouble(pipeline, Node("function", "Function", health, facts))


def _table(pipeline: Pipeline, now: float) -> Node:
    rate = pipeline.counts.rate(now, [WRITTEN])
    rows = f"{len(pipeline.products):,}" if pipeline.products.version else "unknown"
    facts = [("writes", per_second(rate)), ("rows", rows)]
    return _unless_in_trouble(pipeline, Node("table", "Table", _flows(rate), facts))


def _queue(pipeline: Pipeline, key: str, title: str, depth: int | None) -> Node:
    health = Health.TROUBLE if depth else Health.IDLE
    word = "unknown" if depth is None else counted(depth, "message") if depth else "empty"
    return _unless_in_trouble(pipeline, Node(key, title, health, [], word=word))


def _unless_in_trouble(pipeline: Pipeline, node: Node) -> Node:
    trouble = pipeline.figures.trouble.get(node.key)
    if trouble is None:
        return node
    return Node(node.key, node.title, Health.DOWN, node.facts, trouble)


def _put_rate(pipeline: Pipeline, now: float) -> float:
    """The latest that is known: a fast producer can be ahead of what this page has read."""
    return pipeline.counts.rate(now - pipeline.figures.unread_seconds, [PUT])


def _flows(rate: float) -> Health:
    return Health.FLOWING if rate > 0 else Health.IDLE


def per_second(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 100 else f"{rate:,.1f}/s"


def seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:,.0f} ms"
    return f"{value:,.1f} s" if value < 120 else f"{value / 60:,.0f} min"
