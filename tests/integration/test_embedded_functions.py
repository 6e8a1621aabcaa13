"""The emulator of the embedded target: a function's process, when it fails, and its log."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from servers import AwsClient

CODE = """
import os, sys

def handler(event, context):
    print("called")
    if isinstance(event, int):
        for n in range(event):
            print(n)
        sys.stdout.write("the end")
    if event == "raise":
        raise ValueError("not today")
    if event == "exit":
        os._exit(1)
    return os.getpid()
"""

Call = Callable[[str | int], dict[str, Any]]


@pytest.fixture
def name() -> str:
    return f"failing-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def call(aws: AwsClient, name: str) -> Iterator[Call]:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("function.py", CODE)
    functions = aws("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/failing",
        Handler="function.handler",
        Code={"ZipFile": package.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def call(event: str | int) -> dict[str, Any]:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        return {**answer, "Payload": json.loads(answer["Payload"].read())}

    yield call
    functions.delete_function(FunctionName=name)


def test_an_exception_of_a_handler_is_reported(call: Call) -> None:
    failed = call("raise")
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorMessage"] == "not today"


def test_a_process_that_ends_is_reported_and_replaced(call: Call) -> None:
    process = call("say")["Payload"]
    assert call("exit")["FunctionError"] == "Unhandled"
    assert call("say")["Payload"] != process


def test_everything_that_an_invocation_writes_is_in_its_log(
    aws: AwsClient, name: str, call: Call
) -> None:
    for lines in (3_000, 0):
        call(lines)
    pages = (
        aws("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
    )
    messages = [line["message"].rstrip() for page in pages for line in page["events"]]
    written = [m for m in messages if not m.startswith(("START ", "END ", "REPORT "))]
    expected = ["called", *map(str, range(3_000)), "the end", "called", "the end"]
    assert "\n".join(written).splitlines() == expected
