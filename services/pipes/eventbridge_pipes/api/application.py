"""The HTTP application: requests to operations, answers and errors back, as AWS words them."""

from __future__ import annotations

import json
import uuid
from collections import Counter

from botocore.model import ServiceModel
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventbridge_pipes.api.errors import ApiError, InternalError
from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.api.protocol import Router, parse_request, serialise_response
from eventbridge_pipes.api.validation import validate
from eventbridge_pipes.logs import LOGGER
from eventbridge_pipes.store import Store
from eventbridge_pipes.watching.exposition import CONTENT_TYPE, Exposition

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


def application(
    model: ServiceModel, service: PipesService, store: Store, exposition: Exposition
) -> Starlette:
    """The API of `model` (botocore's, of pipes/2015-10-07), `GET /health`, `GET /metrics`."""
    router = Router(model)

    async def health(_: Request) -> Response:
        states = Counter(pipe.current for pipe in await run_in_threadpool(store.pipes))
        return JSONResponse({"status": "ok", "pipes": dict(sorted(states.items()))})

    async def metrics(_: Request) -> Response:
        return Response(await run_in_threadpool(exposition.text), media_type=CONTENT_TYPE)

    async def operation(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, router, service, request, body)

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", metrics),
            Route("/{path:path}", operation, methods=METHODS),
        ]
    )


def _answer(router: Router, service: PipesService, request: Request, body: bytes) -> Response:
    request_id = str(uuid.uuid4())
    try:
        raw_path = request.scope["raw_path"].decode("ascii", "replace")
        operation, path = router.find(request.method, raw_path)
        members = parse_request(operation, path, request.query_params.multi_items(), body)
        validate(operation.input_shape, members)
        result = service.operations[operation.name](members)
        return _response(200, serialise_response(operation, result), request_id)
    except ApiError as error:
        return _error(error, request_id)
    except Exception:
        LOGGER.exception("%s %s failed (request %s)", request.method, request.url.path, request_id)
        return _error(InternalError("A fault of this service; its log says more."), request_id)


def _error(error: ApiError, request_id: str) -> Response:
    response = _response(error.status, json.dumps(error.members).encode(), request_id)
    response.headers["x-amzn-ErrorType"] = error.code
    return response


def _response(status: int, body: bytes, request_id: str) -> Response:
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"x-amzn-RequestId": request_id},
    )
