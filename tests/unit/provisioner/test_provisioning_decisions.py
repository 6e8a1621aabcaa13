"""What is done about a resource, decided from what is wanted, there, and already done."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.decision import (
    Broken,
    Create,
    Done,
    History,
    Observed,
    Pending,
    Refuse,
    Replace,
    Update,
    Wait,
    decide,
)
from provisioner.diff import differences
from provisioner.kinds.streams import next_shard_count
from provisioner.resources import Key, Stream, Table

STREAM = Stream(name="s", arn="arn:s", shards=2)
FOREIGN = dataclasses.replace(STREAM, tags={})
TABLE = Table(
    name="t", arn="arn:t", key=Key((("product_id", "S"),)), stream_view="NEW_AND_OLD_IMAGES"
)


def step(observed: Any, *, made: bool = False, adopts: bool = False, wanted: Any = STREAM) -> Any:
    return decide(wanted, observed, History(made=made), adopts=adopts)


def test_what_is_not_there_is_created() -> None:
    assert step(None) == Create()


def test_what_was_created_but_is_not_visible_yet_is_waited_for() -> None:
    assert isinstance(step(None, made=True), Wait)


def test_what_is_on_its_way_is_waited_for() -> None:
    assert step(Pending("CREATING")) == Wait("it is CREATING")


def test_what_is_right_is_left_alone() -> None:
    assert step(STREAM) == Done()


def test_what_drifted_is_updated_and_the_line_names_it() -> None:
    drifted = dataclasses.replace(STREAM, shards=1)

    assert step(drifted) == Update(drifted, ("shards 1 → 2",))


def test_an_update_that_does_not_show_yet_is_waited_for_not_repeated() -> None:
    drifted = dataclasses.replace(STREAM, shards=1)

    assert isinstance(decide(STREAM, drifted, History(updated_from=drifted), adopts=False), Wait)


def test_an_update_that_got_half_way_goes_on() -> None:
    history = History(updated_from=dataclasses.replace(STREAM, shards=8))
    half_way = dataclasses.replace(STREAM, shards=4)

    assert decide(STREAM, half_way, history, adopts=False) == Update(half_way, ("shards 4 → 2",))


def test_somebody_elses_resource_is_refused_with_a_way_out() -> None:
    refused = step(FOREIGN)

    assert isinstance(refused, Refuse)
    assert "no tag project=inventory-stack" in refused.reason
    assert "another name" in refused.reason


def test_what_this_run_made_is_ours_though_its_tags_are_missing() -> None:
    assert step(FOREIGN, made=True) == Update(FOREIGN, ("tags",))


def test_what_aws_makes_for_us_is_adopted() -> None:
    assert step(FOREIGN, adopts=True) == Update(FOREIGN, ("tags",))


def test_what_cannot_be_changed_in_place_is_refused_with_what_to_do() -> None:
    refused = step(dataclasses.replace(TABLE, key=Key((("id", "N"),))), wanted=TABLE)

    assert refused == Refuse(
        "its key is id (N), not product_id (S), and cannot be changed: "
        "save what is in it and delete it, "
        "or set TABLE_NAME, REMOVALS_TABLE_NAME or ALERTS_TABLE_NAME to another name"
    )


def test_what_never_worked_is_replaced() -> None:
    assert step(Broken(STREAM, "no role", replaceable=True)) == Replace("no role")


def test_what_broke_later_is_updated_in_place() -> None:
    broken = Broken(STREAM, "no role", replaceable=False)

    assert step(broken) == Update(STREAM, ("no role",))


def test_what_breaks_in_our_hands_is_refused_with_the_reason() -> None:
    assert step(Broken(STREAM, "no role", replaceable=True), made=True) == Refuse("no role")


streams = st.builds(
    Stream,
    name=st.just("s"),
    arn=st.just("arn:s"),
    shards=st.integers(1, 9),
    mode=st.sampled_from(["PROVISIONED", "ON_DEMAND"]),
    tags=st.sampled_from([STREAM.tags, {}, {"project": "theirs"}]),
)
observations: st.SearchStrategy[Observed[Stream]] = st.one_of(
    st.none(),
    st.builds(Pending, st.just("UPDATING")),
    st.builds(Broken, streams, st.just("why"), st.booleans()),
    streams,
)


@given(observations)
def test_nothing_of_somebody_elses_is_ever_touched(observed: Observed[Stream]) -> None:
    resource = observed.resource if isinstance(observed, Broken) else observed
    decided = step(observed)

    if isinstance(resource, Stream) and resource.tags != STREAM.tags:
        assert isinstance(decided, Refuse)


@given(observations, st.booleans(), st.booleans())
def test_it_is_done_exactly_when_nothing_differs(
    observed: Observed[Stream], made: bool, adopts: bool
) -> None:
    decided = step(observed, made=made, adopts=adopts)

    assert isinstance(decided, Done) == (
        isinstance(observed, Stream) and not differences(STREAM, observed)
    )


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_shards_get_there_in_steps_that_kinesis_takes(current: int, desired: int) -> None:
    for _ in range(20):
        if current == desired:
            break
        following = next_shard_count(current, desired)
        assert current / 2 <= following <= current * 2
        assert abs(following - desired) < abs(current - desired)
        current = following
    assert current == desired


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"stream_view": None}, "stream view None → NEW_AND_OLD_IMAGES"),
        ({"billing": "PROVISIONED"}, "billing PROVISIONED → PAY_PER_REQUEST"),
        ({"tags": {}}, "tags"),
    ],
)
def test_a_difference_shows_short_values_and_only_names_long_ones(
    changed: dict[str, Any], line: str
) -> None:
    [difference] = differences(TABLE, dataclasses.replace(TABLE, **changed))

    assert str(difference) == line
