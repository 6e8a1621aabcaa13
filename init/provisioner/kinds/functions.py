"""Lambda functions from a zip."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.decision import Broken, Observed, Pending
from provisioner.errors import NotYetError
from provisioner.kinds.rounds import AllAtOnce
from provisioner.resources import Function
from provisioner.tags import known

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class Functions(AllAtOnce[Function]):
    def __init__(self, lambda_: LambdaClient, code: bytes) -> None:
        self._lambda = lambda_
        self._code = code

    def look(self, desired: Function) -> Observed[Function]:
        try:
            answer = self._lambda.get_function(FunctionName=desired.name)
        except self._lambda.exceptions.ResourceNotFoundException:
            return None
        actual = answer["Configuration"]
        if actual.get("State") == "Pending":
            return Pending("being created")
        if actual.get("LastUpdateStatus") == "InProgress":
            return Pending("being updated")
        function = Function(
            name=desired.name,
            arn=actual["FunctionArn"],
            tags=known(answer.get("Tags", {})),
            code=actual["CodeSha256"],
            role=actual["Role"],
            runtime=actual["Runtime"],
            handler=actual["Handler"],
            memory_mb=actual["MemorySize"],
            timeout_seconds=actual["Timeout"],
            environment=actual.get("Environment", {}).get("Variables", {}),
        )
        if actual.get("State") == "Failed":
            return Broken(function, actual.get("StateReason", "it failed"), replaceable=True)
        if actual.get("LastUpdateStatus") == "Failed":
            reason = actual.get("LastUpdateStatusReason", "its last update failed")
            return Broken(function, reason, replaceable=False)
        return function

    def create(self, desired: Function) -> None:
        with self._role_may_be_new(desired):
            self._lambda.create_function(
                FunctionName=desired.name,
                Runtime=desired.runtime,
                Role=desired.role,
                Handler=desired.handler,
                Code={"ZipFile": self._code},
                Timeout=desired.timeout_seconds,
                MemorySize=desired.memory_mb,
                Environment={"Variables": desired.environment},
                Tags=desired.tags,
            )

    def toward(self, desired: Function, actual: Function) -> Function:
        """Code first, the rest in a later round: Lambda takes one update at a time."""
        if actual.code != desired.code:
            return replace(actual, tags=desired.tags, code=desired.code)
        return desired

    def update(self, desired: Function, actual: Function) -> None:
        if actual.tags != desired.tags:
            self._lambda.tag_resource(Resource=actual.arn, Tags=desired.tags)
        if actual.code != desired.code:
            self._lambda.update_function_code(FunctionName=desired.name, ZipFile=self._code)
            return
        with self._role_may_be_new(desired):
            self._lambda.update_function_configuration(
                FunctionName=desired.name,
                Runtime=desired.runtime,
                Role=desired.role,
                Handler=desired.handler,
                Timeout=desired.timeout_seconds,
                MemorySize=desired.memory_mb,
                Environment={"Variables": desired.environment},
            )

    def delete(self, desired: Function) -> None:
        self._lambda.delete_function(FunctionName=desired.name)

    @contextmanager
    def _role_may_be_new(self, function: Function) -> Iterator[None]:
        """IAM takes some seconds to tell the other services about a new role."""
        try:
            yield
        except self._lambda.exceptions.InvalidParameterValueException as error:
            if "cannot be assumed" not in str(error):
                raise
            raise NotYetError(f"Lambda cannot assume {function.role} yet") from error


def code_sha256(code: bytes) -> str:
    """The hash of a zip in the form that Lambda answers: the base64 of its SHA-256."""
    return base64.b64encode(hashlib.sha256(code).digest()).decode()
