from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from eventbridge_pipes.arn import Scope
from eventbridge_pipes.log import JsonFormatter, PipeLog, TextFormatter, escaped

HOME = Scope("000000000000", "us-east-1")
HOSTILE = "first\nsecond \x1b[31mred\x07 \u2028 \u202eback"


def line(formatter: logging.Formatter, *, pipe: bool = True) -> str:
    record = logging.LogRecord("n", logging.WARNING, str(Path(__file__)), 1, "%s", (HOSTILE,), None)
    if pipe:
        record.pipe = HOME.pipe_arn("p")
    return formatter.format(record)


def test_text_from_outside_stays_on_its_line() -> None:
    shown = line(TextFormatter(HOME))
    assert shown.isprintable()
    assert "WARNING p: first\\nsecond \\x1b[31mred" in shown


def test_a_line_of_json_names_time_level_pipe_and_message() -> None:
    shown = line(JsonFormatter())
    assert "\n" not in shown
    parsed = json.loads(shown)
    assert list(parsed) == ["time", "level", "pipe", "account", "region", "message"]
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
    assert TextFormatter(HOME).format(record).isprintable()
    assert "ValueError" in json.loads(JsonFormatter().format(record))["exception"]


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (HOME, "p"),
        (Scope("111111111111", HOME.region), "p in us-east-1 of 111111111111"),
        (Scope(HOME.account, "eu-west-1"), "p in eu-west-1 of 000000000000"),
    ],
)
def test_a_pipe_is_named_and_where_it_is_if_not_at_home(
    scope: Scope, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    PipeLog(scope.pipe_arn("p")).warning("stopped")
    (record,) = caplog.records
    assert f" WARNING {name}: stopped" in TextFormatter(HOME).format(record)
    told = json.loads(JsonFormatter().format(record))
    assert (told["pipe"], told["account"], told["region"]) == ("p", *scope)


def test_plain_text_is_left_alone() -> None:
    assert escaped("Grüße, 世界 \\n") == "Grüße, 世界 \\n"
