"""The errors of the API, as `pipes/2015-10-07` names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self


class Violation(NamedTuple):
    """A constraint that one member of a request does not satisfy."""

    field: str
    message: str


class ApiError(Exception):
    """An answer other than success; `members` are those of the error's shape."""

    code: str
    status: int

    def __init_subclass__(cls, code: str, status: int) -> None:
        cls.code, cls.status = code, status

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.members: dict[str, Any] = {"message": message, **members}


class ValidationError(ApiError, code="ValidationException", status=400):
    """The request breaks the model or a rule; every violation is listed."""

    @classmethod
    def of(cls, violations: Sequence[Violation], prefix: str = "") -> Self:
        listed = [{"name": field, "message": message} for field, message in violations]
        return cls(prefix + "; ".join(v.message for v in violations), fieldList=listed)


class SerializationError(ApiError, code="SerializationException", status=400):
    """The request's body or query cannot be read as the operation's input."""


class RequestTooLargeError(ApiError, code="RequestEntityTooLargeException", status=413):
    """The request's body is longer than any that this service reads."""


class UnknownOperationError(ApiError, code="UnknownOperationException", status=404):
    """No operation has this method and path."""


class PipeNotFoundError(ApiError, code="NotFoundException", status=404):
    """There is no pipe of that name."""


class ConflictError(ApiError, code="ConflictException", status=409):
    """The pipe is not in a state that allows the operation, or it exists already."""


class QuotaExceededError(ApiError, code="ServiceQuotaExceededException", status=402):
    """There are as many pipes as an account may have."""


class InternalError(ApiError, code="InternalException", status=500):
    """A fault of this service."""
