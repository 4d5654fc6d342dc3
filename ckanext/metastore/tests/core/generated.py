"""Documents and dataset dicts for property tests: few names and values, so that two of them have much in common."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

from hypothesis import strategies as st

from ckanext.metastore.core.identity import by_identity

VALUES = st.sampled_from(
    [None, True, False, 0, 1, 1.0, "", "1", "x", "Ä", [], [1], [True], {}, {"a": 1}, {"a": {"b": 1}}]
).map(deepcopy)
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


def leaves(path: tuple[str, ...], value: Any) -> dict[tuple[str, ...], str]:
    """Take a document apart as a reader of changes sees it: items by identity, without their order."""
    parts = by_identity(path, value)
    if parts is None and isinstance(value, dict):
        parts = value
    if parts is None:
        return {path: canonical(value)}
    found = {path: type(value).__name__}
    for key, part in parts.items():
        found |= leaves((*path, key), part)
    return found


FULL: dict[str, Any] = {
    "title": 1,
    "version": 1,
    "keywords": list("abcdef"),
    "resources": [{"id": id_, "size": 1, "x": {"a": 1, "b": 1}} for id_ in "abcdef"],
    "ckan": {
        "notes": 1,
        "extras": [{"key": key, "value": 1} for key in "abcdef"],
        "tags": [{"name": name, "vocabulary_id": vocabulary} for name in "abc" for vocabulary in (None, "v")],
    },
}
IDENTITY_FIELDS = ("id", "key", "name", "vocabulary_id")


def edit(chance: Random, value: Any, full: Any, path: tuple[str, ...] = ()) -> Any:
    """Change a part of a document here and there, as an editor would; what is added comes from a full one."""
    if chance.random() < 0.4 or path[-1:] in [(field,) for field in IDENTITY_FIELDS]:
        return value
    items, all_items = by_identity(path, value), by_identity(path, full)
    if items is not None and all_items is not None:
        edited = edit_members(chance, items, all_items, path)
        return [
            edited[name] for name in (chance.sample(sorted(edited), len(edited)) if chance.random() < 0.3 else edited)
        ]
    if isinstance(value, dict) and isinstance(full, dict):
        return edit_members(chance, value, full, path)
    return value if path[0] == "keywords" else chance.choice([1, True, 2, None, [1]])


def edit_members(chance: Random, value: dict[str, Any], full: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    names = [name for name in full if name in IDENTITY_FIELDS or chance.random() < (0.9 if name in value else 0.2)]
    return {name: edit(chance, value.get(name, full[name]), full[name], (*path, name)) for name in names}


@st.composite
def three_sides(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A base and two documents that came of it; no two items of a list have one identity."""
    chance = Random(draw(st.integers(0, 2**32)))
    base = edit(chance, FULL, FULL)
    return base, edit(chance, base, FULL), edit(chance, base, FULL)
