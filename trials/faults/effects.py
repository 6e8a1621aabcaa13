"""What can become of a call on its way there and back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from faults.exchange import CUT, Answer, Request, answer, error
from faults.plan import Effect, Forward


def refused(status: int, code: str) -> Effect:
    """The service says no, and does nothing."""
    return lambda request, forward: error(request.service, status, code)


def instead(content: object, status: int = 200, **headers: str) -> Effect:
    """Nothing is done, and this is the answer."""
    return lambda request, forward: answer(content, status, **headers)


def slow(seconds: float) -> Effect:
    """It is done at once; the answer takes its time."""

    def effect(request: Request, forward: Forward) -> Answer:
        done = forward(request)
        time.sleep(seconds)
        return done

    return effect


def cut_before(request: Request, forward: Forward) -> Answer:
    """The connection is lost before the request arrives."""
    return CUT


def cut_after(share: float = 0.0) -> Effect:
    """It is done; the connection is lost when so much of the answer has been written."""
    return lambda request, forward: replace(forward(request), written=share)


def altered(body: Callable[[bytes], bytes]) -> Effect:
    """It is done; the answer arrives with another body, and with what it said of the old one."""

    def effect(request: Request, forward: Forward) -> Answer:
        done = forward(request)
        return replace(done, body=body(done.body))

    return effect


def function_error(kind: str, message: str, *, ran: bool) -> Effect:
    """Lambda says that the function ended with an error, though it `ran` to its end or never."""
    body = json.dumps({"errorType": kind, "errorMessage": message}).encode()

    def effect(request: Request, forward: Forward) -> Answer:
        if ran:
            forward(request)
        return Answer(200, {"X-Amz-Function-Error": "Unhandled"}, body)

    return effect


def reporting_failed(share: float) -> Effect:
    """The function has done it all; its answer names the last records as failed, such a share.

    The last ones, for a function that minds the order fails what follows a failed record.
    """

    def effect(request: Request, forward: Forward) -> Answer:
        done = forward(request)
        records = json.loads(request.body)
        named = records[-max(1, round(len(records) * share)) :]
        items = [{"itemIdentifier": record["eventID"]} for record in named]
        return replace(done, body=json.dumps({"batchItemFailures": items}).encode())

    return effect


def partly_put(seed: int, code: str = "ProvisionedThroughputExceededException") -> Effect:
    """Half of the records of a PutRecords, drawn, go on to the stream; the others are refused."""
    dice = Random(seed)

    def effect(request: Request, forward: Forward) -> Answer:
        asked: dict[str, Any] = json.loads(request.body)
        records = asked["Records"]
        refused = set(dice.sample(range(len(records)), (len(records) + 1) // 2))
        kept = [record for place, record in enumerate(records) if place not in refused]
        taken: list[Any] = []
        if kept:
            body = json.dumps({**asked, "Records": kept}).encode()
            taken = json.loads(forward(replace(request, body=body)).body)["Records"]
        failure = {"ErrorCode": code, "ErrorMessage": "injected"}
        results = [failure if place in refused else taken.pop(0) for place in range(len(records))]
        return answer({"FailedRecordCount": len(refused), "Records": results})

    return effect


def unprocessed(request: Request, forward: Forward) -> Answer:
    """DynamoDB reads half of the keys, and gives the others back."""
    [(table, wanted)] = json.loads(request.body)["RequestItems"].items()
    half = len(wanted["Keys"]) // 2
    if half:
        some = {"RequestItems": {table: {**wanted, "Keys": wanted["Keys"][:half]}}}
        read = json.loads(forward(replace(request, body=json.dumps(some).encode())).body)
    else:
        read = {"Responses": {table: []}}
    left = {table: {**wanted, "Keys": wanted["Keys"][half:]}}
    return answer({**read, "UnprocessedKeys": left})


def conflicting(request: Request, forward: Forward) -> Answer:
    """Another transaction is at one of the items: all of this one is cancelled."""
    items = json.loads(request.body)["TransactItems"]
    reasons = [{"Code": "TransactionConflict", "Message": "injected"}]
    reasons += [{"Code": "None"}] * (len(items) - 1)
    told = error(request.service, 400, "TransactionCanceledException")
    body = json.loads(told.body) | {"CancellationReasons": reasons}
    return replace(told, body=json.dumps(body).encode())


def publishing_none(request: Request, forward: Forward) -> Answer:
    """SNS takes none of the messages, one by one."""
    ids = [value for name, value in parse_qsl(request.body.decode()) if name.endswith(".Id")]
    failed = "".join(
        f"<member><Id>{id_}</Id><Code>InternalError</Code><Message>injected</Message>"
        "<SenderFault>false</SenderFault></member>"
        for id_ in ids
    )
    body = (
        '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
        f"<PublishBatchResult><Successful/><Failed>{failed}</Failed></PublishBatchResult>"
        "<ResponseMetadata><RequestId>injected</RequestId></ResponseMetadata>"
        "</PublishBatchResponse>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())


def doing(
    before: Callable[[], object] | None = None, after: Callable[[], object] | None = None
) -> Effect:
    """Something happens when the request has arrived, or when it is done and not yet answered;
    then the connection is lost."""

    def effect(request: Request, forward: Forward) -> Answer:
        if before:
            before()
        if after:
            forward(request)
            after()
        return CUT

    return effect
