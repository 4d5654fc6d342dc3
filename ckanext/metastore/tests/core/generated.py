"""Documents and dataset dicts for property tests: few names and values, so that two of them have much in common."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

VALUES = st.sampled_from(
    [None, True, False, 0, 1, 1.0, "", "1", "x", "Ä", [], [1], [True], {}, {"a": 1}, {"a": {"b": 1}}]
)
NAMES = st.sampled_from(["a", "b", "c", "a#2", "~", "/"])


def optional(**fields: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


RESOURCES = st.lists(
    st.one_of(
        optional(id=NAMES | st.none(), name=NAMES, url=NAMES, size=VALUES, x=VALUES),
        optional(name=NAMES, path=NAMES, bytes=VALUES, ckan=optional(id=NAMES, x=VALUES) | VALUES),
    ),
    max_size=6,
)
LISTS = {
    "extras": st.lists(st.fixed_dictionaries({"key": NAMES, "value": VALUES}), max_size=4),
    "tags": st.lists(st.fixed_dictionaries({"name": NAMES, "vocabulary_id": st.sampled_from([None, "v"])}), max_size=4),
    "groups": st.lists(optional(id=NAMES, name=NAMES), max_size=4),
}
DOCUMENTS: st.SearchStrategy[dict[str, Any]] = optional(
    title=VALUES,
    version=VALUES,
    licenses=VALUES,
    resources=RESOURCES | VALUES,
    keywords=st.lists(NAMES, max_size=4) | VALUES,
    ckan=optional(notes=VALUES, **LISTS) | VALUES,
    **{"a/b~c": VALUES},
    **LISTS,
)
"""Neither shape exactly: every list that either has, well formed or not, and properties of any type."""


def canonical(value: Any) -> str:
    """Write JSON so that equal texts mean equal values, and equal types."""
    return json.dumps(value, sort_keys=True)
