"""Items of the table as anybody could have written them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hostile_events import HOSTILE_TEXTS
from inventory.items import ATTRIBUTES

TEXTS = st.text(max_size=6) | st.sampled_from(HOSTILE_TEXTS)
NUMBERS = st.one_of(
    st.integers(-(10**37), 10**37).map(str),
    st.sampled_from(["1.5", "1E+3", "7.0", "-1", "9" * 30, "9" * 38, "1E+125", "1E-130"]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        TEXTS.map(lambda text: {"S": text}),
        NUMBERS.map(lambda number: {"S": number}),
        NUMBERS.map(lambda number: {"N": number}),
        st.booleans().map(lambda value: {"BOOL": value}),
        st.just({"NULL": True}),
        st.binary(max_size=4).map(lambda data: {"B": data}),
        st.sets(TEXTS, min_size=1, max_size=2).map(lambda texts: {"SS": list(texts)}),
        st.sets(st.binary(max_size=3), min_size=1, max_size=2).map(lambda b: {"BS": list(b)}),
        st.just({"NS": ["2", "1.5"]}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda values: {"L": values}),
        st.dictionaries(TEXTS, inner, max_size=2).map(lambda values: {"M": values}),
    ),
    max_leaves=4,
)


def items(product_id: str = "P1") -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(sorted(ATTRIBUTES)) | TEXTS
    key = {"product_id": {"S": product_id}}
    return st.dictionaries(names, VALUES, max_size=6).map(lambda item: item | key)
