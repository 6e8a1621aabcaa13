"""Invocations of Lambda functions, made directly: a pipe makes one for each batch."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote

from eventbridge_pipes.aws.cut_off import refuse_cut_off_head
from eventbridge_pipes.aws.service import Service, metadata, refusal

VERSION = "2015-03-31"


class DirectInvoker:
    """Of Lambda's client in the SDK, what invokes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def invoke(self, **request: Any) -> dict[str, Any]:
        """Takes FunctionName, InvocationType and Payload, and answers as the client does.

        Raises botocore's ClientError or BotoCoreError.
        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        function = quote(request["FunctionName"], safe="")
        headers = {
            "Content-Type": "application/json",
            "X-Amz-Invocation-Type": request["InvocationType"],
        }
        path = f"/{VERSION}/functions/{function}/invocations"
        answer = self._service.post(headers, request["Payload"], path).answer()
        if answer.status >= 300:
            raise refusal(answer, "Invoke")
        refuse_cut_off_head(answer.status, answer.headers)
        answered = {
            "StatusCode": answer.status,
            "Payload": io.BytesIO(answer.body),
            "ResponseMetadata": metadata(answer),
        }
        failure = answer.headers.get("x-amz-function-error")
        return {**answered, "FunctionError": failure} if failure else answered

    def close(self) -> None:
        """Close the connections that no invocation is using."""
        self._service.close()
