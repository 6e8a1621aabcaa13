from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_aws.outbox import EVENT_TYPES
from producer.mix import Mix, parse


def test_a_type_that_is_left_out_has_no_share() -> None:
    assert parse("added=2, changed=0.5") == Mix(2, 0, 0.5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not one of"),
        ("added", "is not one of"),
        ("moved=1", "'moved=1' is not one of"),
        ("added=1,added=2", "'added' is given twice"),
        ("added=x", "the share of 'added' is not a number: 'x'"),
        ("added=-1,removed=3", "at least 0"),
        ("added=nan", "at least 0"),
        ("added=inf", "at least 0"),
        ("added=1e308,removed=1e308", "add up to a number above 0"),
        ("added=0", "add up to a number above 0"),
    ],
)
def test_what_is_not_a_mix_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


shares = st.just(0.0) | st.floats(1e-6, 1e6)


@given(
    mix=st.tuples(shares, shares, shares).filter(any).map(lambda s: Mix(*s)),
    fraction=st.floats(0, 1, exclude_max=True),
)
def test_a_type_without_a_share_never_occurs(mix: Mix, fraction: float) -> None:
    assert mix.shares[EVENT_TYPES.index(mix.event_type(fraction))] > 0
