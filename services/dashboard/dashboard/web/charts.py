"""Events per second by outcome, and the end-to-end latency, over the last minutes.

What users did is marked on both, so that cause and effect are seen together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from dashboard.model.pipeline import Mark, Pipeline
from dashboard.web.elements import heading
from dashboard.web.times import clock_time

STEP = 5
STEPS = 48
OUTCOMES = ("applied", "duplicate", "not_found", "rejected", "failed")
WORDS = {"not_found": "not found"}
# Okabe and Ito's colours, which the colour-blind tell apart; the line's form tells as well.
COLOURS = {
    "applied": "#2b83c6",
    "duplicate": "#8a8a8a",
    "not_found": "#b8860b",
    "rejected": "#d55e00",
    "failed": "#b0518a",
    "p50": "#2b83c6",
    "p99": "#d55e00",
}
FORMS = {"not_found": "dashed", "rejected": "solid", "duplicate": "dotted", "p99": "dashed"}
INK = "#77828d"
LEVELS = 3
STEPS_A_LETTER = 1.2
"""On a phone, where a step is narrowest."""
MARKS_LISTED = 4

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Label:
    """The text of a mark at a place on the axis. Without a `level` it is not shown."""

    at: int
    text: str
    to_the_left: bool
    level: int | None


@dataclass(frozen=True, slots=True)
class ChartData:
    """Numbers for both, taken while the pipeline is held. Latencies in milliseconds."""

    times: Sequence[str]
    rates: Mapping[str, Values]
    latencies: Mapping[str, Values]
    marks: Sequence[Label]
    latest: Sequence[str]

    @classmethod
    def of(cls, pipeline: Pipeline, now: float) -> ChartData:
        ends_at = int(now) // STEP * STEP
        starts_at = ends_at - STEP * STEPS
        times = [clock_time(at, at) for at in range(starts_at, ends_at, STEP)]
        rates = {o: pipeline.counts.series(now, o, STEP, STEPS) for o in OUTCOMES}
        shares = {"p50": 0.5, "p99": 0.99}
        latencies = {
            name: [
                None if value is None else round(value * 1000, 1)
                for value in pipeline.latencies.series(now, share, STEP, STEPS)
            ]
            for name, share in shares.items()
        }
        marks = [mark for mark in pipeline.marks if mark.at >= starts_at]
        return cls(
            times,
            {name: without_flat_zeros(values) for name, values in rates.items()},
            latencies,
            labels([(min(int(m.at - starts_at) // STEP, STEPS - 1), m.text) for m in marks]),
            [_listed(mark) for mark in marks[: -MARKS_LISTED - 1 : -1]],
        )


def labels(marks: Sequence[tuple[int, str]]) -> list[Label]:
    """Where the texts of the marks go, so that none covers another: the latest come first."""
    placed: list[Label] = []
    begins = [float(STEPS + 1)] * LEVELS
    ends = [-1.0] * LEVELS
    for at, text in reversed(marks):
        width = STEPS_A_LETTER * len(text)
        to_the_left = at >= STEPS // 2
        first, last = (at - width, at) if to_the_left else (at, at + width)
        free = [n for n in range(LEVELS) if last < begins[n] or first > ends[n]]
        level = free[0] if free else None
        if level is not None:
            begins[level], ends[level] = min(first, begins[level]), max(last, ends[level])
        placed.append(Label(at, text, to_the_left, level))
    return placed


def without_flat_zeros(values: Sequence[float]) -> Values:
    """Leave out zeros beside zeros: their line would cover the axis."""
    padded = [values[0], *values, values[-1]] if values else []
    return [
        None if before == value == after == 0 else value
        for before, value, after in zip(padded, values, padded[2:], strict=False)
    ]


class Charts:
    def __init__(self) -> None:
        self._shown: ChartData | None = None
        with ui.element("section").classes("charts").props('aria-label="Charts"'):
            self._rates = _chart("Events per second by outcome", OUTCOMES, "events/s", "value")
            self._latencies = _chart("End-to-end latency", ("p50", "p99"), "ms", "log")
            self._latest = ui.label().classes("marks").props('aria-label="Latest actions"')

    def show(self, data: ChartData) -> None:
        if data == self._shown:
            return
        self._shown = data
        _draw(self._rates, data, data.rates)
        _draw(self._latencies, data, data.latencies)
        self._latest.set_text(
            " · ".join(data.latest) or "Your actions appear here and on the charts."
        )


def _draw(chart: ui.echart, data: ChartData, series: Mapping[str, Values]) -> None:
    values: list[dict[str, Any]] = [{"data": list(numbers)} for numbers in series.values()]
    marks = [
        {
            "xAxis": label.at,
            "name": label.text,
            "label": {
                "show": label.level is not None,
                "distance": 4 + 13 * (label.level or 0),
                "align": "right" if label.to_the_left else "left",
            },
        }
        for label in data.marks
    ]
    values.append({"data": [0] * STEPS, "markLine": {"data": marks}})
    axis = {"data": list(data.times)}
    chart.run_chart_method("setOption", {"series": values, "xAxis": axis})


def _chart(title: str, names: Sequence[str], unit: str, scale: str) -> ui.echart:
    with ui.element("div").classes("card chart"):
        heading(f"{title} ({unit})")
        return (
            ui.echart(
                {
                    "animation": False,
                    "aria": {"enabled": True},
                    "grid": {"left": 44, "right": 16, "top": 66, "bottom": 22},
                    "legend": {
                        "type": "scroll",
                        "top": 0,
                        "left": 0,
                        "itemGap": 10,
                        "itemWidth": 20,
                        "data": [WORDS.get(name, name) for name in names],
                    },
                    "tooltip": {"trigger": "axis", "renderMode": "richText"},
                    "xAxis": {
                        "type": "category",
                        "boundaryGap": False,
                        "data": [],
                        "axisLabel": {
                            ":interval": "(_, time) => time.endsWith(':00')",
                            ":formatter": "(time) => time.slice(0, -3)",
                        },
                        "axisTick": {":interval": "(_, time) => time.endsWith(':00')"},
                        "axisLine": {"lineStyle": {"color": INK}},
                    },
                    "yAxis": {
                        "type": scale,
                        "min": 1 if scale == "log" else 0,
                        "minInterval": 1 if scale == "value" else None,
                        "splitNumber": 3,
                        "splitLine": {"lineStyle": {"color": INK, "opacity": 0.2}},
                    },
                    "series": [*(_line(name) for name in names), _MARKS],
                },
                renderer="svg",
            )
            .classes("chart-canvas")
            .props(f'role="img" aria-label="{title}, the last four minutes, in {unit}"')
        )


_MARKS: dict[str, Any] = {
    "type": "line",
    "data": [],
    "silent": True,
    "symbol": "none",
    "tooltip": {"show": False},
    "lineStyle": {"opacity": 0},
    "markLine": {
        "symbol": "none",
        "animation": False,
        "lineStyle": {"color": INK, "type": "dashed", "width": 1.5},
        "label": {"formatter": "{b}", "position": "end"},
        "data": [],
    },
}
"""A series that is only there to have the marks, whichever of the others a user hides."""


def _line(name: str) -> dict[str, Any]:
    colour = COLOURS[name]
    return {
        "name": WORDS.get(name, name),
        "type": "line",
        "data": [],
        "symbol": "none",
        "connectNulls": False,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 2.5, "type": FORMS.get(name, "solid")},
        "areaStyle": {"color": colour, "opacity": 0.12} if name == "applied" else None,
    }


def _listed(mark: Mark) -> str:
    return f"{clock_time(mark.at, mark.at)} {mark.text}"
