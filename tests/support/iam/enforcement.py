"""IAM in front of an account that has none: each call is decided on before it is sent.

moto decides on actions alone, not on resources and conditions, and no emulator of Pipes on any. So
this stands between botocore and whatever answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from iam.evaluation import Need, allowed
from iam.requests import Requests

Statements = Iterable[Mapping[str, Any]]
Answer = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None]

_GIVEN = "iam-given"


@dataclass(frozen=True)
class Asked:
    """A call, and what IAM asks of it."""

    operation: str
    needs: tuple[Need, ...]


@dataclass
class Enforcement:
    """Decides by `statements`, or lets all pass where there are none; keeps what was asked.

    `answer` may answer a call itself.
    """

    statements: Statements | None = None
    answer: Answer = lambda operation, given: None
    asked: list[Asked] = field(default_factory=list)
    denied: list[Need] = field(default_factory=list)
    _requests: Requests = field(default_factory=Requests)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, params: Any, context: dict[str, Any], **_: Any) -> None:
        context[_GIVEN] = params

    def decide(self, model: Any, context: dict[str, Any], **_: Any) -> Any:
        given = context[_GIVEN]
        service = model.service_model.service_name
        with self._lock:
            needs = self._requests.needs(service, model.name, given)
            self.asked.append(Asked(model.name, tuple(needs)))
        for need in needs if self.statements is not None else ():
            if not allowed(self.statements or (), need):
                self.denied.append(need)
                return _response(403), refusal(need)
        parsed = self.answer(model.name, given)
        return None if parsed is None else (_response(200), dict(parsed))

    def hear(self, model: Any, parsed: Any, context: dict[str, Any], **_: Any) -> None:
        with self._lock:
            service = model.service_model.service_name
            self._requests.hear(service, model.name, context[_GIVEN], parsed)

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """For every client that is made meanwhile."""
        hooks = [
            ("provide-client-params.*.*", self.keep),
            ("before-call.*.*", self.decide),
            ("after-call.*.*", self.hear),
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, *hooks])
            yield


def refusal(need: Need) -> dict[str, Any]:
    """What AWS answers.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    return {
        "Error": {
            "Code": "AccessDeniedException",
            "Message": "User: arn:aws:iam::123456789012:user/deployer is not authorized to "
            f"perform: {need.action} on resource: {need.resource} because no identity-based policy "
            f"allows the {need.action} action",
        },
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }


def denial(operation: str, need: Need) -> ClientError:
    """What botocore raises of it."""
    return ClientError(refusal(need), operation)  # type: ignore[arg-type]


def _response(status: int) -> AWSResponse:
    return AWSResponse("", status, HTTPHeaders(), None)
