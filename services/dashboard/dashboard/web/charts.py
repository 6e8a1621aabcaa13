"""Events per second by outcome, and the time from put to row, over the last minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from dashboard.model.pipeline import Pipeline

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

Series = Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class ChartData:
    """Numbers for both, taken while the pipeline is held. Latencies in milliseconds."""

    ends_at: int
    rates: Series
    latencies: Series

    @classmethod
    def of(cls, pipeline: Pipeline, now: float) -> ChartData:
        rates = {o: pipeline.counts.series(now, o, STEP, STEPS) for o in OUTCOMES}
        shares = {"p50": 0.5, "p99": 0.99}
        latencies = {
            name: [
                None if value is None else round(value * 1000, 1)
                for value in pipeline.latencies.series(now, share, STEP, STEPS)
            ]
            for name, share in shares.items()
        }
        return cls(int(now) // STEP * STEP, rates, latencies)


class Charts:
    def __init__(self) -> None:
        self._shown = 0
        self._rates = _chart("Events per second by outcome", OUTCOMES, "/s", "value")
        self._latencies = _chart("From put to row, milliseconds", ("p50", "p99"), "ms", "log")

    def show(self, data: ChartData) -> None:
        if data.ends_at == self._shown:
            return
        self._shown = data.ends_at
        _draw(self._rates, data.rates)
        _draw(self._latencies, data.latencies)


def _draw(chart: ui.echart, series: Series) -> None:
    values = [{"data": list(numbers)} for numbers in series.values()]
    chart.run_chart_method("setOption", {"series": values})


def _chart(title: str, names: Sequence[str], unit: str, scale: str) -> ui.echart:
    with ui.element("section").classes("card chart").props(f'aria-label="{title}"'):
        ui.label(title).classes("card-title").props('role="heading" aria-level="2"')
        ages = [-STEP * (STEPS - place) for place in range(STEPS)]
        axis_text = {"color": INK}
        return (
            ui.echart(
                {
                    "animation": False,
                    "aria": {"enabled": True},
                    "grid": {"left": 48, "right": 12, "top": 34, "bottom": 26},
                    "legend": {
                        "type": "scroll",
                        "top": 0,
                        "left": 0,
                        "itemGap": 14,
                        "textStyle": axis_text,
                    },
                    "tooltip": {"trigger": "axis", "renderMode": "richText"},
                    "xAxis": {
                        "type": "category",
                        "boundaryGap": False,
                        "data": [_age(age) for age in ages],
                        "axisLabel": {**axis_text, "interval": 60 // STEP - 1},
                        "axisLine": {"lineStyle": {"color": INK}},
                    },
                    "yAxis": {
                        "type": scale,
                        "min": 1 if scale == "log" else 0,
                        "minInterval": 1 if scale == "value" else None,
                        "axisLabel": axis_text,
                        "splitLine": {"lineStyle": {"color": INK, "opacity": 0.2}},
                    },
                    "series": [_line(name) for name in names],
                },
                renderer="canvas",
            )
            .classes("chart-canvas")
            .props(f'role="img" aria-label="{title}, the last four minutes, in {unit}"')
        )


def _line(name: str) -> dict[str, Any]:
    colour = COLOURS[name]
    return {
        "name": WORDS.get(name, name),
        "type": "line",
        "data": [],
        "showSymbol": False,
        "connectNulls": False,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 2.5, "type": FORMS.get(name, "solid")},
        "areaStyle": {"color": colour, "opacity": 0.12} if name == "applied" else None,
    }


def _age(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
