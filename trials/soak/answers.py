"""What the stand-ins of AWS's services are asked, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """`operation` is the API's name for it. `life` is which life of the service asks, from 0."""

    service: str
    operation: str
    body: bytes
    life: int

    @property
    def arguments(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`given` is called once the whole answer was written. Of an answer that is cut off only a part
    is `written` (a share), and then the connection is closed."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    given: Callable[[], None] = lambda: None
    written: float = 1.0


def refusal(status: int, code: str) -> Answer:
    """An error, as AWS's JSON protocols have it."""
    headers = {"x-amzn-errortype": code}
    return Answer({"__type": code, "message": "by order of the soak"}, status, headers)
