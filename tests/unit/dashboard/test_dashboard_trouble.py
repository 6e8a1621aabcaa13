"""What a node says of an AWS call that failed."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from dashboard.sources.hub import in_words


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:4567/v1/pipes/inventory-pipe"),
            "no answer at 127.0.0.1:4567",
        ),
        (
            ReadTimeoutError(endpoint_url="http://127.0.0.1:4566/"),
            "no answer at 127.0.0.1:4566",
        ),
        (ConnectionClosedError(endpoint_url="http://localhost:1/"), "no answer at localhost:1"),
        (OSError("one\n  two"), "one two"),
        (TimeoutError(), "TimeoutError"),
        (
            ClientError({"Error": {"Code": "NotFound", "Message": "m" * 999}}, "DescribePipe"),
            "An error occurred (NotFound) when calling the DescribePipe operation: ".ljust(
                300, "m"
            ),
        ),
    ],
)
def test_a_failed_call_is_told_in_a_line_that_fits_a_box(error: Exception, said: str) -> None:
    assert in_words(error) == said
