"""What waits to be told, as it is kept in the table."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from alerts.cause import MAX_SAMPLES, Cause, Kind, Waiting
from alerts.limit import NEVER
from alerts.tallies import TalliesTable
from servers import AwsClient

CAUSE = Cause.of(Kind.REJECTED, "data.not_json")
LEASE, QUIET, LATER = 1_000, 2_000, 3_000


@pytest.fixture
def tallies(aws: AwsClient) -> TalliesTable:
    name = f"tallies-{uuid.uuid4().hex}"
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "cause", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "cause", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return TalliesTable(aws("dynamodb"), name)


def add(tallies: TalliesTable, *events: int) -> None:
    for number in events:
        tallies.add(CAUSE, Waiting(1, number, number, [{"event_id": str(number)}]))


def told(waiting: Waiting | None) -> tuple[int, list[str]]:
    assert waiting is not None
    return waiting.count, [str(sample["event_id"]) for sample in waiting.samples]


def test_what_comes_while_a_full_message_is_sent_has_samples_of_its_own(
    tallies: TalliesTable,
) -> None:
    add(tallies, *range(MAX_SAMPLES + 2))
    first = tallies.claim(CAUSE, NEVER, LEASE)
    assert told(first) == (MAX_SAMPLES + 2, [str(n) for n in range(MAX_SAMPLES)])
    add(tallies, 100, 101)

    assert first is not None
    assert not tallies.settle(CAUSE, first, LEASE, QUIET), "there is more"
    assert tallies.settle_part(CAUSE, first, LEASE, QUIET, tick_at=QUIET)
    second = tallies.claim(CAUSE, QUIET, LATER)
    assert told(second) == (2, ["100", "101"])

    assert second is not None
    assert tallies.settle(CAUSE, second, LATER, LATER)
    assert tallies.read(CAUSE).waiting == 0


def test_what_found_no_room_just_before_a_message_was_claimed_has_its_sample_in_the_next(
    tallies: TalliesTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tallies, *range(MAX_SAMPLES))
    somebody = TalliesTable(tallies._client, tallies._table)
    claimed: list[Waiting | None] = []
    update = tallies._update

    def overtaken(*arguments: Any) -> Any:
        item = update(*arguments)
        if item is None and not claimed:
            claimed.append(somebody.claim(CAUSE, NEVER, LEASE))
        return item

    monkeypatch.setattr(tallies, "_update", overtaken)
    add(tallies, 100)

    [first] = claimed
    assert first is not None
    assert somebody.settle_part(CAUSE, first, LEASE, QUIET, tick_at=QUIET)
    assert told(somebody.claim(CAUSE, QUIET, LATER)) == (1, ["100"])


def test_what_was_claimed_and_not_told_is_claimed_again_with_its_samples(
    tallies: TalliesTable,
) -> None:
    add(tallies, 1)
    tallies.claim(CAUSE, NEVER, LEASE)
    add(tallies, 2)
    assert told(tallies.claim(CAUSE, LEASE, LATER)) == (2, ["1", "2"])


def test_of_two_that_want_to_tell_one_may(tallies: TalliesTable) -> None:
    add(tallies, 1)
    assert told(tallies.claim(CAUSE, NEVER, LEASE)) == (1, ["1"])
    assert tallies.claim(CAUSE, NEVER, LATER) is None
