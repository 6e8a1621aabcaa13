"""What an API call is refused with, as `pipes/2015-10-07` names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Violation:
    """A constraint that one member of a request does not satisfy."""

    field: str
    message: str


class ApiError(Exception):
    """An answer other than success; `members` are those of the error's shape."""

    code: str
    status: int

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.members: dict[str, Any] = {"message": message, **members}


class ValidationError(ApiError):
    """The request breaks the model or a rule; every violation is listed."""

    code = "ValidationException"
    status = 400

    def __init__(self, message: str, violations: Sequence[Violation] = ()) -> None:
        listed = [{"name": v.field, "message": v.message} for v in violations]
        super().__init__(message, fieldList=listed)


class SerializationError(ApiError):
    """The request's body or query cannot be read as the operation's input."""

    code = "SerializationException"
    status = 400


class RequestTooLargeError(ApiError):
    """The request's body is longer than any that this service reads."""

    code = "RequestEntityTooLargeException"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request's body has more than {limit} bytes")


class UnknownOperationError(ApiError):
    """No operation has this method and path."""

    code = "UnknownOperationException"
    status = 404

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"EventBridge Pipes has no operation {method} {path}")


class PipeNotFoundError(ApiError):
    """There is no pipe of that name."""

    code = "NotFoundException"
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"Pipe {name} does not exist.")


class ConflictError(ApiError):
    """The pipe is not in a state that allows the operation, or it exists already."""

    code = "ConflictException"
    status = 409

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message, resourceId=name, resourceType="Pipe")


class QuotaExceededError(ApiError):
    """There are as many pipes as an account may have."""

    code = "ServiceQuotaExceededException"
    status = 402

    def __init__(self, message: str, name: str) -> None:
        # AWS's code of this quota is not published; a name says what is meant.
        super().__init__(
            message,
            resourceId=name,
            resourceType="Pipe",
            serviceCode="pipes",
            quotaCode="PipesPerAccount",
        )


class InternalError(ApiError):
    """A fault of this service."""

    code = "InternalException"
    status = 500
