"""The Pipes API under arbitrary requests: it answers each in its own words, and goes on."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.api.http import MAX_BODY_BYTES
from eventbridge_pipes.store import Store
from fuzzing import tries
from pipes_api import Answer, Api
from pipes_fuzzing import API_REQUESTS, BODIES, METHODS, TARGETS, ApiRequest
from pipes_shapes import MODEL, misfits

# Whole, though it is long: an example that cannot be seen is of no use.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


def assert_is_an_answer(answer: Answer, operation: str | None = None) -> None:
    """Success in the shape of the operation, or an error in that of its code."""
    assert answer.status < 500
    assert answer.headers["content-type"] == "application/json"
    members = json.loads(answer.body)
    if answer.status == 200:
        assert operation
        assert list(misfits(MODEL.operation_model(operation).output_shape, members)) == []
        return
    code = answer.headers["x-amzn-errortype"]
    assert isinstance(members["message"], str)
    if code in MODEL.shape_names:
        assert MODEL.shape_for(code).metadata["error"]["httpStatusCode"] == answer.status
        assert list(misfits(MODEL.shape_for(code), members)) == []


def assert_goes_on(api: Api) -> None:
    assert api.ask("GET", "/health").status == 200
    assert api.ask("GET", "/metrics").status == 200
    listed = api.ask("GET", "/v1/pipes")
    assert listed.status == 200
    for pipe in json.loads(listed.body)["Pipes"]:
        described = api.ask("GET", f"/v1/pipes/{pipe['Name']}")
        assert_is_an_answer(described, "DescribePipe")


@tries(300)
@given(st.lists(API_REQUESTS, min_size=1, max_size=5))
def test_a_request_of_the_model_is_answered_in_its_shapes(requests: list[ApiRequest]) -> None:
    with closing(Store(None)) as store:
        api = Api(store)
        for request in requests:
            answer = api.ask(request.method, request.target, request.body.encode())
            assert_is_an_answer(answer, request.operation)
        assert_goes_on(api)


@tries(200)
@given(st.sampled_from(METHODS), st.sampled_from(TARGETS), BODIES)
def test_a_request_of_no_model_is_answered_too(method: str, target: str, body: bytes) -> None:
    with closing(Store(None)) as store:
        api = Api(store)
        answer = api.ask(method, target, body)
        if answer.status != 200:
            assert_is_an_answer(answer)
        assert_goes_on(api)


def test_a_body_that_no_definition_needs_is_refused_by_its_size() -> None:
    with closing(Store(None)) as store:
        api = Api(store)
        answer = api.ask("POST", "/v1/pipes/q", b" " * (MAX_BODY_BYTES + 1))
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (
            413,
            "RequestEntityTooLargeException",
        )
        assert api.ask("POST", "/v1/pipes/q", b" " * MAX_BODY_BYTES).status == 400
        assert_goes_on(api)
