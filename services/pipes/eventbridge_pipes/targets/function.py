"""A Lambda function as target, invoked synchronously."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ReadTimeoutError

from eventbridge_pipes import faults
from eventbridge_pipes.delivery.outcome import Fault, Outcome, all_failed, of_answer
from eventbridge_pipes.sources.records import Record, payload

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# The function is being created or updated: a matter of seconds, and not of the records.
_NOT_READY = {"ResourceConflictException", "ResourceNotReadyException"}


class LambdaTarget:
    """Sends each batch as one invocation (REQUEST_RESPONSE)."""

    def __init__(self, client: LambdaClient, function_arn: str) -> None:
        self._client = client
        self._function_arn = function_arn

    def invoke(self, records: Sequence[Record]) -> Outcome:
        """What became of `records`.

        Errors of the caller's making (no such function, no permission, too large a payload) are
        failed attempts, as on AWS; those of the service are faults.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
        """
        try:
            answer = self._client.invoke(
                FunctionName=self._function_arn,
                InvocationType="RequestResponse",
                Payload=payload(records),
            )
            returned = answer["Payload"].read()
        except ReadTimeoutError:
            return all_failed(records, "the function did not answer within 5 minutes")
        except faults.CallError as error:
            reason = faults.describe(error)
            if faults.is_service_fault(error) or faults.code_of(error) in _NOT_READY:
                return Fault(reason)
            return all_failed(records, reason)
        if answer.get("FunctionError"):
            return all_failed(records, _function_error(returned))
        return of_answer(returned, records)


def _function_error(returned: bytes) -> str:
    try:
        error = json.loads(returned)
        shown = f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, TypeError, KeyError):
        shown = returned.decode("utf-8", "replace")
    return f"function error: {shown[:200]}"
