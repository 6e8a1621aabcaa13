"""What sources share: the service's clock, and what the errors of its calls mean."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eventbridge_pipes.aws.errors import AnswerTooLargeError
from eventbridge_pipes.sources.source import (
    ExpiredIteratorError,
    PageTooLargeError,
    PositionLostError,
    SourceError,
    SourceNotFoundError,
    ThrottledError,
    time_of,
    translated,
)


def dated(date: str) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}


def test_the_time_is_that_of_the_answer() -> None:
    assert time_of(dated("Tue, 14 Nov 2023 22:13:20 GMT")) == 1700000000.0


@pytest.mark.parametrize("answer", [{}, dated("soon"), dated("Fri, 01 Jan 2100 00:00:00 GMT")])
def test_an_answer_without_a_date_or_from_the_future_has_the_time_of_our_clock(
    answer: dict[str, Any],
) -> None:
    before = int(time.time())
    assert before <= time_of(answer) <= time.time()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredIteratorException", ExpiredIteratorError),
        ("ResourceNotFoundException", SourceNotFoundError),
        ("ProvisionedThroughputExceededException", ThrottledError),
        ("InvalidArgumentException", PositionLostError),
        ("InternalFailure", SourceError),
    ],
)
def test_an_error_of_a_call_says_what_to_do(code: str, kind: type[SourceError]) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "so"}}, "GetShardIterator")
    with (
        pytest.raises(SourceError, match=f"{code}: so") as raised,
        translated("InvalidArgumentException", PositionLostError),
    ):
        raise error
    assert type(raised.value) is kind


def test_an_answer_that_is_too_large_means_that_fewer_records_fit() -> None:
    with pytest.raises(PageTooLargeError), translated():
        raise AnswerTooLargeError(limit=32)
