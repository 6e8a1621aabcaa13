"""Messages that go to a batch API in several calls, some of which refuse some."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, Outcome
from eventbridge_pipes.targets import sqs_queue
from eventbridge_pipes.targets.target import (
    BatchKind,
    BatchTarget,
    Entry,
    Message,
    UnsendableError,
)
from pipes_targets import Unseen, messages

AWAY = EndpointConnectionError(endpoint_url="http://localhost:1")
DENIED = ClientError(
    {
        "Error": {"Code": "AccessDeniedException", "Message": "no"},
        "ResponseMetadata": {
            "HTTPStatusCode": 403,
            "RequestId": "r",
            "HostId": "",
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        },
    },
    "Send",
)


def entry(message: Message) -> Entry:
    """Messages with a size, a group, a time, and some that cannot be sent."""
    about = json.loads(message.body)
    if about.get("unsendable"):
        raise UnsendableError("cannot be sent")
    size, timestamp = about.get("size", 1), about.get("timestamp", 0)
    return Entry(about, size, about.get("group"), timestamp)


def told(service: str, answer: Any, count: int) -> dict[int, FailedCall]:
    """The answer of a Service says it directly."""
    return dict(answer)


API = replace(
    sqs_queue.KIND, entries="Entries", failed=told, batch_limit=10, call_bytes=100, entry_bytes=50
)


class Service:
    """Takes the entries that it is not told to refuse; a call may raise instead."""

    def __init__(
        self,
        refuses: Mapping[int, FailedCall] | None = None,
        raises: Mapping[int, Exception] | None = None,
    ) -> None:
        self._refuses = refuses or {}
        self._raises = raises or {}
        self.calls: list[list[int]] = []

    def __call__(self, Entries: Sequence[Mapping[str, Any]]) -> dict[int, FailedCall]:  # noqa: N803
        positions = [entry["position"] for entry in Entries]
        self.calls.append(positions)
        if len(self.calls) - 1 in self._raises:
            raise self._raises[len(self.calls) - 1]
        return {
            place: self._refuses[position]
            for place, position in enumerate(positions)
            if position in self._refuses
        }


def send(sent: Sequence[Message], api: BatchKind, service: Service) -> Any:
    """Send messages that say which position they have."""
    about = [{**json.loads(message.body), "position": n} for n, message in enumerate(sent)]
    return BatchTarget(api, entry, service, dict).send(messages(*about), Unseen())


def test_calls_are_cut_by_entries_and_by_bytes_in_order() -> None:
    service = Service()
    sizes = [1] * 12 + [40, 40, 40]
    assert send(messages(*({"size": s} for s in sizes)), API, service) == SUCCEEDED
    assert service.calls == [list(range(10)), [10, 11, 12, 13], [14]]


def test_what_cannot_be_sent_fails_and_the_rest_is_sent() -> None:
    service = Service()
    answer = send(messages({}, {"unsendable": True}, {"size": 51}, {}, {"size": 50}), API, service)
    assert answer == Outcome(frozenset({1, 2}), "cannot be sent")
    assert service.calls == [[0, 3, 4]]


def test_nothing_that_can_be_sent_makes_no_call() -> None:
    service = Service()
    answer = send(messages({"size": 51}), API, service)
    assert answer == Outcome(frozenset({0}), "a message of 51 bytes is over the limit of 50")
    assert service.calls == []


def test_a_refused_entry_fails_alone() -> None:
    service = Service(refuses={3: FailedCall("", "bad"), 11: FailedCall("", "worse")})
    answer = send(messages(*[{}] * 15), API, service)
    assert answer == Outcome(frozenset({3, 11}), "bad")
    assert len(service.calls) == 2


def test_a_call_that_is_refused_fails_its_entries_and_the_next_is_made() -> None:
    service = Service(raises={0: DENIED})
    answer = send(messages(*[{}] * 15), API, service)
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset(range(10))
    assert answer.error
    assert (answer.error.service, answer.error.status, answer.error.details) == (
        "sqs",
        403,
        "AccessDeniedException",
    )
    assert service.calls[1:] == [[10, 11, 12, 13, 14]]


def test_after_a_fault_nothing_more_is_sent_and_what_was_taken_is_not_sent_again() -> None:
    service = Service(raises={1: AWAY})
    answer = send(messages(*[{}] * 25), API, service)
    assert isinstance(answer, Outcome)
    assert answer.service_error
    assert answer.failed == frozenset(range(10, 25))
    assert len(service.calls) == 2


def test_a_fault_of_the_first_call_concerns_all() -> None:
    answer = send(messages(*[{}] * 25), API, Service(raises={0: AWAY}))
    assert isinstance(answer, Outcome)
    assert answer.service_error
    assert answer.failed == set(range(25))


def test_failures_beside_a_service_error_are_no_attempt() -> None:
    busy = FailedCall("sqs", "busy", service_error=True)
    service = Service(refuses={1: FailedCall("", "bad"), 2: busy})
    answer = send(messages(*[{}] * 5), API, service)
    assert answer == Outcome(frozenset({1, 2}), "busy", busy, service_error=True)


def test_later_calls_do_not_overtake_a_refused_entry_of_their_group() -> None:
    service = Service(refuses={4: FailedCall("", "bad")})
    groups = [{"group": "ab"[i % 2]} for i in range(14)]
    answer = send(messages(*groups), API, service)
    assert service.calls == [list(range(10)), [11, 13]]
    assert answer == Outcome(frozenset({4, 10, 12}), "bad")


def test_an_entry_that_is_too_large_holds_back_only_what_is_behind_it() -> None:
    service = Service()
    sent = messages({"group": "a"}, {"group": "a", "size": 51}, {"group": "a"}, {"group": "b"})
    answer = send(sent, API, service)
    assert service.calls == [[0, 3]]
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({1, 2})


@pytest.mark.parametrize("times", [[1, 12, 11], [12, 1, 11]])
def test_entries_go_in_the_order_of_their_times_and_no_call_spans_too_much(
    times: list[int],
) -> None:
    service = Service()
    send(messages(*({"timestamp": t} for t in times)), replace(API, call_span=10), service)
    assert [[times[p] for p in call] for call in service.calls] == [[1, 11], [12]]


@given(
    sizes=st.lists(st.integers(0, 60), max_size=40),
    groups=st.lists(st.sampled_from("abc"), min_size=40, max_size=40),
    refused=st.sets(st.integers(0, 39), max_size=5),
    away=st.none() | st.integers(0, 4),
)
def test_every_message_is_taken_once_or_told_and_groups_keep_their_order(
    sizes: list[int], groups: list[str], refused: set[int], away: int | None
) -> None:
    service = Service(
        refuses={p: FailedCall("", "bad") for p in refused},
        raises={} if away is None else {away: AWAY},
    )
    about = [{"size": s, "group": g} for s, g in zip(sizes, groups, strict=False)]
    answer = send(messages(*about), API, service)

    failed: frozenset[int] = frozenset()
    if answer.failed:
        whole = frozenset(range(len(sizes)))
        failed = answer.failed if answer.failed is not None else whole
    well = service.calls if away is None else service.calls[:away]
    taken = [p for call in well for p in call if p not in refused]
    assert sorted([*taken, *failed]) == list(range(len(sizes)))
    for call in service.calls:
        assert len(call) <= 10
        assert len(call) == 1 or sum(sizes[p] for p in call) <= 100
    for number, call in enumerate(well):
        for position in call:
            behind = {p for later in well[number + 1 :] for p in later}
            if position in refused:
                assert not [p for p in behind if groups[p] == groups[position]]
