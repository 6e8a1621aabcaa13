"""The HTTP application: requests to operations, answers and errors back, as AWS words them."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable

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
from eventbridge_pipes.api import errors
from eventbridge_pipes.api.model import Router, parse_request, serialise_response, validate
from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.log import LOGGER
from eventbridge_pipes.store import Store
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics

MAX_BODY_BYTES = 2**20
"""Many times the largest definition that the model allows."""


def application(
    model: ServiceModel,
    service: PipesService,
    store: Store,
    prometheus: PrometheusMetrics,
    admitted: guard.Admitted,
    crash: Callable[[], None] | None = None,
) -> Starlette:
    """The API of `model` (botocore's, of pipes/2015-10-07), `GET /health`, `GET /metrics`, and
    where there is a `crash`, `POST /crash`."""
    router = Router(model)

    async def health(_: Request) -> Response:
        states = Counter(pipe.current for pipe in await run_in_threadpool(store.pipes))
        return JSONResponse({"status": "ok", "pipes": dict(sorted(states.items()))})

    async def metrics(_: Request) -> Response:
        return Response(await run_in_threadpool(prometheus.text), media_type=CONTENT_TYPE_LATEST)

    async def crashed(_: Request) -> Response:
        return Response(status_code=202, background=BackgroundTask(crash) if crash else None)

    async def operation(request: Request) -> Response:
        try:
            body = await _read(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return await run_in_threadpool(_answer, router, service, request, body)

    async def other_method(request: Request, _: Exception) -> Response:
        return await operation(request)  # it says that there is no such operation

    cors = Middleware(CORSMiddleware, **guard.cors(admitted))
    return Starlette(
        exception_handlers={HTTPException: other_method},
        middleware=[Middleware(guard.Guard, admitted), *([cors] if admitted.origins else [])],
        routes=[
            Route("/health", health),
            Route("/metrics", metrics),
            *([Route("/crash", crashed, methods=["POST"])] if crash else []),
            Route("/{path:path}", operation, methods=guard.METHODS),
        ],
    )


async def _read(request: Request) -> bytes:
    """The body; of one that is too large no more than shows it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: MAX_BODY_BYTES + 1 - len(body)]
    return bytes(body)


def _answer(router: Router, service: PipesService, request: Request, body: bytes) -> Response:
    request_id = str(uuid.uuid4())
    try:
        if len(body) > MAX_BODY_BYTES:
            message = f"The request's body has more than {MAX_BODY_BYTES} bytes"
            raise errors.RequestTooLargeError(message)
        raw_path = request.scope["raw_path"].decode("ascii", "replace")
        operation, path = router.find(request.method, raw_path)
        members = parse_request(operation, path, request.query_params.multi_items(), body)
        validate(operation.input_shape, members)
        result = getattr(service, xform_name(operation.name))(members)
        return _response(200, serialise_response(operation, result), request_id)
    except errors.ApiError as error:
        return _error(error, request_id)
    except Exception:
        LOGGER.exception("%s %s failed (request %s)", request.method, request.url.path, request_id)
        message = "Internal error of this service. See its log."
        return _error(errors.InternalError(message), request_id)


def _error(error: errors.ApiError, request_id: str) -> Response:
    response = _response(error.status, json.dumps(error.members).encode(), request_id)
    response.headers["x-amzn-ErrorType"] = error.code
    return response


def _response(status: int, body: bytes, request_id: str) -> Response:
    return Response(body, status, {"x-amzn-RequestId": request_id}, "application/json")
