"""What differs, as changes: against examples, generated documents, and the histories of real datasets."""

from __future__ import annotations

import pytest

from ckanext.metastore.core.diff import diff
from ckanext.metastore.core.types import Change


def resources(*ids: str) -> dict:
    return {"resources": [{"id": id, "url": f"https://data.example/{id}.csv"} for id in ids]}


def test_a_field_that_came_went_or_changed():
    assert diff({"a": 1, "b": 2}, {"b": 3, "c": None}) == [
        Change("removed", ("a",), 1, None),
        Change("changed", ("b",), 2, 3),
        Change("added", ("c",), None, None),
    ]


@pytest.mark.parametrize("a, b", [(1, 1.0), (1, True), (1, "1"), (0, False), (None, ""), ([1], [True]), ({}, [])])
def test_values_of_different_types_differ(a, b):
    assert diff({"x": a}, {"x": b}) == [Change("changed", ("x",), a, b)]


def test_nested_properties_have_the_whole_path():
    assert diff({"ckan": {"a": {"b": 1}}}, {"ckan": {"a": {"b": 2}}}) == [Change("changed", ("ckan", "a", "b"), 1, 2)]


def test_a_resource_is_followed_by_its_id_when_its_place_changes():
    b = resources("new", "one", "two")
    b["resources"][2]["url"] = "https://data.example/2.csv"
    assert diff(resources("one", "two"), b) == [
        Change("added", ("resources", "new"), None, b["resources"][0]),
        Change("changed", ("resources", "two", "url"), "https://data.example/two.csv", "https://data.example/2.csv"),
    ]


def test_another_order_is_one_change():
    change = Change("moved", ("resources",), ["one", "two", "three"], ["three", "one", "two"])
    assert diff(resources("one", "two", "three"), resources("three", "one", "two")) == [change]


def test_changes_come_in_the_documents_order():
    changes = diff({"z": 1} | resources("a", "b", "c"), {"y": 1} | resources("d", "c", "e", "b"))
    assert [change.path for change in changes] == [
        ("resources",), ("resources", "d"), ("resources", "e"), ("resources", "a"), ("y",), ("z",),
    ]  # fmt: skip
