"""An exception in a handler does not end the process of a Python function.

MiniStack 1.5.33: `Worker.invoke` in `core/lambda_runtime.py` ends the worker process if its
response is an error. The next invocation starts a new process and imports the module again.
AWS: the runtime reports the error and takes the next event. Only a crash or a timeout resets the
execution environment.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

To report:
    Lambda: an exception in a handler ends the warm worker process

    The invocation after one whose handler raised is a cold start: global variables and open
    connections are lost. Expected: the process stays and handles the next event.
    To see it, create a function "f" from this code and invoke it three times:
        import os
        def handler(event, context):
            if event:
                raise ValueError("no")
            return os.getpid()
        for payload in ("{}", '{"raise": true}', "{}"):
            print(lambda_.invoke(FunctionName="f", Payload=payload)["Payload"].read())
    The first and the third process ids differ.
    Proposed change: let the worker script mark the errors that a handler raised, and keep the
    process in `Worker.invoke` if the response has that mark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

RAISED = "raised"

ORIGINAL = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
CORRECTED = f'{{"status": "ok", "{RAISED}": {ORIGINAL}}}'


def apply() -> None:
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(ORIGINAL, CORRECTED)
    lambda_runtime.Worker.invoke = _failing(lambda_runtime.Worker.invoke)


def _failing(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`invoke`, but a response with the mark `RAISED` becomes an error after it."""

    def invoked(*arguments: Any, **named: Any) -> dict[str, Any]:
        response = invoke(*arguments, **named)
        raised = response.pop(RAISED, None)
        return response if raised is None else {**response, **raised}

    return invoked
