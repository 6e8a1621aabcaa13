"""The HTTP application: requests to operations, answers and errors back, as AWS words them."""

from __future__ import annotations

import json
import os
import re
import signal
import uuid
from collections import Counter
from dataclasses import replace
from functools import partial

from botocore import xform_name
from botocore.model import ServiceModel
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventbridge_pipes import guard
from eventbridge_pipes.api.model import ApiError, find_operation, parse_request, to_json
from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.arn import ACCOUNT, Scope
from eventbridge_pipes.log import LOGGER
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics

MAX_BODY_BYTES = 2**20
"""Many times the largest definition that the model allows."""


class RequestTooLargeError(ApiError, code="RequestEntityTooLargeException", status=413):
    """The request's body is longer than any that this service reads."""


_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 .{0,200}?Credential=([^/\s,=]{1,128})/\d{8}"
    r"/([a-z][a-z0-9-]{1,31})/[a-z0-9-]+/aws4_request"
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html"""


class SignatureError(ApiError, code="InvalidSignatureException", status=403):
    """The request's signature cannot be read, or names no Region."""


class InternalError(ApiError, code="InternalException", status=500):
    """A fault of this service."""


def signed_scope(authorization: str, home: Scope, emulated: bool) -> Scope:
    """The account and the Region of a request: those of its signature, as emulators read it.

    If AWS is `emulated`, an access key id of 12 digits is an account. Any other one is of the
    account of `home`. A request without a signature is of `home`. Raises SignatureError.
    """
    if not authorization:
        return home
    found = _CREDENTIAL.match(authorization)
    if not found:
        raise SignatureError("Credential should be scoped to a valid Region.")
    key_id, region = found.groups()
    is_account = emulated and ACCOUNT.fullmatch(key_id)
    return Scope(key_id if is_account else home.account, region)


def application(
    model: ServiceModel,
    service: PipesService,
    prometheus: PrometheusMetrics,
    admitted: guard.Admitted,
    emulated: bool = True,
    allow_crash: bool = False,
) -> Starlette:
    """The API of `model` (botocore's, of pipes/2015-10-07), `GET /health`, `GET /metrics`, and
    with `allow_crash`, `POST /crash`.

    Requests are for the account and the Region that their signature names (see `signed_scope`);
    the scope of `service` is that of requests without one.
    """

    async def health(_: Request) -> Response:
        states = Counter(pipe.current for pipe in await run_in_threadpool(service.store.pipes))
        return JSONResponse({"status": "ok", "pipes": dict(sorted(states.items()))})

    async def metrics(_: Request) -> Response:
        return Response(await run_in_threadpool(prometheus.text), media_type=CONTENT_TYPE_LATEST)

    async def crash(_: Request) -> Response:
        """End now, leaving everything as it is, as SIGKILL does."""
        kill = BackgroundTask(os.kill, os.getpid(), signal.SIGKILL)
        return Response(status_code=202, background=kill)

    async def operation(request: Request, _: Exception | None = None) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                # Of a body that is too large, no more than shows it.
                body += chunk[: MAX_BODY_BYTES + 1 - len(body)]
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return await run_in_threadpool(answer, request, bytes(body))

    answer = partial(_answer, model, service, emulated)
    cors = Middleware(CORSMiddleware, **guard.cors(admitted))
    return Starlette(
        # Any other path or method: the answer says that there is no such operation.
        exception_handlers={HTTPException: operation},
        middleware=[Middleware(guard.Guard, admitted), *([cors] if admitted.origins else [])],
        routes=[
            Route("/health", health),
            Route("/metrics", metrics),
            *([Route("/crash", crash, methods=["POST"])] if allow_crash else []),
            Route("/{path:path}", operation, methods=guard.METHODS),
        ],
    )


def _answer(
    model: ServiceModel, service: PipesService, emulated: bool, request: Request, body: bytes
) -> Response:
    request_id = str(uuid.uuid4())
    headers, status = {"x-amzn-RequestId": request_id}, 200
    try:
        if len(body) > MAX_BODY_BYTES:
            raise RequestTooLargeError(f"The request's body has more than {MAX_BODY_BYTES} bytes")
        raw_path = request.scope["raw_path"].decode("ascii", "replace")
        operation, path = find_operation(model, request.method, raw_path)
        members = parse_request(operation, path, request.query_params, body)
        authorization = request.headers.get("authorization", "")
        scope = signed_scope(authorization, service.scope, emulated)
        result = getattr(replace(service, scope=scope), xform_name(operation.name))(members)
        answer = json.dumps(to_json(operation.output_shape, result))
    except Exception as error:
        if not isinstance(error, ApiError):
            where = request.method, request.url.path, request_id
            LOGGER.exception("%s %s failed (request %s)", *where)
            error = InternalError("Internal error of this service. See its log.")
        answer, status = json.dumps(error.members), error.status
        headers["x-amzn-ErrorType"] = error.code
    return Response(answer, status, headers, "application/json")
