"""Charts of the last minutes: events per second by outcome, and the end-to-end latency.

Both have marks where users did something, which show cause and effect together.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from dashboard.model.pipeline import Mark, Pipeline
from dashboard.web.elements import clock_time, heading

STEP = 5
STEPS = 48
MARKS_LISTED = 4
# Okabe and Ito's colours, which the colour-blind can tell apart. The lines also differ in form.
OUTCOMES = {
    "applied": ("#2b83c6", "solid"),
    "duplicate": ("#8a8a8a", "dotted"),
    "not_found": ("#b8860b", "dashed"),
    "rejected": ("#d55e00", "solid"),
    "failed": ("#b0518a", "solid"),
}
PERCENTILES = {"p50": ("#2b83c6", "solid"), "p99": ("#d55e00", "dashed")}
INK = "#77828d"
# A series of its own keeps the marks when a user hides another one.
MARKS: dict[str, Any] = {
    "id": "marks",
    "type": "scatter",
    "symbolSize": 0,
    "silent": True,
    "tooltip": {"show": False},
    "label": {"show": True, "formatter": "{b}"},
    "labelLayout": {"y": 38, "hideOverlap": True},
    "markLine": {
        "symbol": "none",
        "label": {"show": False},
        "lineStyle": {"color": INK, "type": "dashed", "width": 1.5},
    },
}

Values = Sequence[float | None]


class Charts:
    def __init__(self) -> None:
        with ui.element("section").classes("charts").props('aria-label="Charts"'):
            self._rates = Chart("Events per second by outcome", "value", OUTCOMES)
            self._latencies = Chart("End-to-end latency (ms)", "log", PERCENTILES)
            self._latest = ui.label().classes("marks").props('aria-label="Latest actions"')

    def show(self, pipeline: Pipeline) -> None:
        now = time.time()
        end = int(now) // STEP * STEP
        marks = [mark for mark in reversed(pipeline.marks) if mark.at >= end - STEP * STEPS]
        rates = {
            outcome: without_flat_zeros(pipeline.counts.series(now, outcome, STEP, STEPS))
            for outcome in OUTCOMES
        }
        latencies = {
            name: [
                None if seconds is None else round(seconds * 1000, 1)
                for seconds in pipeline.latencies.series(now, share, STEP, STEPS)
            ]
            for name, share in (("p50", 0.5), ("p99", 0.99))
        }
        self._rates.show(end, rates, marks)
        self._latencies.show(end, latencies, marks)
        latest = [f"{clock_time(mark.at, mark.at)} {mark.text}" for mark in marks[:MARKS_LISTED]]
        self._latest.set_text(" · ".join(latest) or "Your actions appear here and on the charts.")


class Chart:
    def __init__(self, title: str, scale: str, lines: Mapping[str, tuple[str, str]]) -> None:
        self._shown: dict[str, Any] = {}
        with ui.element("div").classes("card chart"):
            heading(title)
            self._chart = ui.echart(_options(scale, lines), renderer="svg").classes("chart-canvas")
            self._chart.props("role=img")  # ECharts adds a description

    def show(self, end: int, lines: Mapping[str, Values], marks: Sequence[Mark]) -> None:
        times = [(end - STEP * ago) * 1000 for ago in reversed(range(STEPS))]
        points: list[dict[str, Any]] = []
        for mark in marks:
            at = min(int(mark.at * 1000), times[-1])
            align = "right" if at > times[STEPS // 2] else "left"
            point = {"name": mark.text, "value": [at, 1], "label": {"align": align}, "xAxis": at}
            # Of two texts, ECharts hides the one with the smaller symbol: it keeps the latest.
            points.append({**point, "symbolSize": 0 if points else 1})
        options = {
            "dataset": {"source": {"time": times, **lines}},
            "xAxis": {"min": times[0], "max": times[-1]},
            "series": [{"id": "marks", "data": points, "markLine": {"data": points}}],
        }
        if options != self._shown:
            self._shown = options
            self._chart.run_chart_method("setOption", options)


def without_flat_zeros(values: Sequence[float]) -> Values:
    """Leave out zeros beside zeros: their line would cover the axis."""
    padded = [values[0], *values, values[-1]] if values else []
    return [
        None if before == value == after == 0 else value
        for before, value, after in zip(padded, values, padded[2:], strict=False)
    ]


def _options(scale: str, lines: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    names = [name.replace("_", " ") for name in lines]
    return {
        "useUTC": True,
        "animation": False,
        "aria": {"enabled": True},
        "grid": {"left": 44, "right": 16, "top": 52, "bottom": 22},
        "legend": {"type": "scroll", "top": 0, "left": 0, "itemWidth": 20, "data": names},
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "xAxis": {
            "type": "time",
            "minInterval": 60_000,
            "axisLabel": {"formatter": "{HH}:{mm}"},
            "axisLine": {"lineStyle": {"color": INK}},
        },
        "yAxis": {
            "type": scale,
            "min": 1 if scale == "log" else 0,
            "minInterval": 1,
            "splitNumber": 3,
            "splitLine": {"lineStyle": {"color": INK, "opacity": 0.2}},
        },
        "series": [
            {
                "name": name.replace("_", " "),
                "type": "line",
                "encode": {"x": "time", "y": name},
                "symbol": "none",
                "color": colour,
                "lineStyle": {"width": 2.5, "type": form},
                "areaStyle": {"opacity": 0.12 if name == "applied" else 0},
            }
            for name, (colour, form) in lines.items()
        ]
        + [MARKS],
    }
