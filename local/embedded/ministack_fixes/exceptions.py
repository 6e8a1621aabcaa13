"""The functions of MiniStack, which end with an exception but do not end their process by it.

As it comes, MiniStack starts a new process for the call after one whose handler has raised. On AWS
the runtime reports the error and takes the next event: only a crash or a time-out ends it.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

RAISED = "raised"

AS_IT_COMES = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
PUT_RIGHT = f'{{"status": "ok", "{RAISED}": {AS_IT_COMES}}}'


def survive_exceptions() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(AS_IT_COMES, PUT_RIGHT)
    lambda_runtime.Worker.invoke = _failing(lambda_runtime.Worker.invoke)


def _failing(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`invoke`, which takes an answer that tells of an exception for a failure once it is over."""

    def invoked(*arguments: Any, **named: Any) -> dict[str, Any]:
        response = invoke(*arguments, **named)
        raised = response.pop(RAISED, None)
        return response if raised is None else {**response, **raised}

    return invoked
