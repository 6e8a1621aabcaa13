from __future__ import annotations

import json
import logging
from pathlib import Path

from eventbridge_pipes.log import JsonFormatter, PipeLog, TextFormatter, escaped

HOSTILE = "first\nsecond \x1b[31mred\x07 \u2028 \u202eback"


def line(formatter: logging.Formatter, *, pipe: bool = True) -> str:
    record = logging.LogRecord("n", logging.WARNING, str(Path(__file__)), 1, "%s", (HOSTILE,), None)
    if pipe:
        record.pipe = "p"
    return formatter.format(record)


def test_text_from_outside_stays_on_its_line() -> None:
    shown = line(TextFormatter())
    assert shown.isprintable()
    assert "WARNING p: first\\nsecond \\x1b[31mred" in shown


def test_a_line_of_json_names_time_level_pipe_and_message() -> None:
    shown = line(JsonFormatter())
    assert "\n" not in shown
    parsed = json.loads(shown)
    assert list(parsed) == ["time", "level", "pipe", "message"]
    assert parsed["message"] == HOSTILE


def test_a_line_that_is_of_no_pipe_names_none() -> None:
    assert "pipe" not in json.loads(line(JsonFormatter(), pipe=False))


def test_a_traceback_stays_on_its_line() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        record = logging.LogRecord(
            "n", logging.ERROR, "f", 1, "failed", None, (type(error), error, error.__traceback__)
        )
    assert TextFormatter().format(record).isprintable()
    assert "ValueError" in json.loads(JsonFormatter().format(record))["exception"]


def test_the_log_of_a_pipe_names_it() -> None:
    _, arguments = PipeLog("p").process("message", {})
    assert arguments["extra"] == {"pipe": "p"}


def test_plain_text_is_left_alone() -> None:
    assert escaped("Grüße, 世界 \\n") == "Grüße, 世界 \\n"
