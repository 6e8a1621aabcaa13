"""GetRecords, which Kinesis and DynamoDB Streams share: asked for now, waited for later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from eventbridge_pipes.aws.clients import AwsJsonClient
from eventbridge_pipes.sources.source import Asked, Page


def ask_for_records(
    calls: AwsJsonClient,
    arguments: Mapping[str, Any],
    page_of: Callable[[dict[str, Any]], Page],
    translated: Callable[[], AbstractContextManager[None]],
) -> Asked:
    """`page_of` reads the answer; `translated` makes SourceErrors of the errors of a call."""
    with translated():
        pending = calls.begin("GetRecords", arguments)

    def page(patience: float | None = None) -> Page:
        with translated():
            answer = pending.result(patience)
        return page_of(answer)

    return page
