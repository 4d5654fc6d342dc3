"""Three-way merge: examples, and what must hold for any three documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ckanext.metastore.core.diff import diff
from ckanext.metastore.core.merge import merge
from ckanext.metastore.core.order import only, same_order
from ckanext.metastore.core.types import Change, Clash, Merge
from ckanext.metastore.tests.core.generated import DOCUMENTS, canonical, leaves, three_sides


def resources(*ids: str, **changed: Any) -> dict[str, Any]:
    return {"resources": [{"id": id_, "size": changed.get(id_, 0)} for id_ in ids]}


def ids(merged: Merge) -> str:
    return "".join(resource["id"] for resource in merged.document["resources"])


class TestFields:
    def test_each_sides_changes_are_there(self):
        base = {"title": "t", "version": "1", "notes": "n"}
        assert merge(base, {**base, "title": "T", "url": "u"}, {"title": "t", "version": "2"}) == Merge(
            {"title": "T", "version": "2", "url": "u"}
        )

    def test_objects_are_merged_within(self):
        assert merge({"c": {"a": 1, "b": 1}}, {"c": {"a": 2, "b": 1}}, {"c": {"a": 1, "b": 2}}) == Merge(
            {"c": {"a": 2, "b": 2}}
        )
        assert merge({}, {"c": {"a": 1}}, {"c": {"b": 1}}) == Merge({"c": {"a": 1, "b": 1}})

    def test_the_same_change_is_no_clash(self):
        assert merge({"a": 1}, {"a": 2}, {"a": 2}) == Merge({"a": 2})
        assert merge({"a": 1}, {}, {}) == Merge({})

    @pytest.mark.parametrize(
        ("base", "ours", "theirs"),
        [
            ({"x": 1}, {"x": 2}, {"x": 3}),
            ({"x": 1}, {}, {"x": 3}),
            ({"x": 1}, {"x": 2}, {}),
            ({}, {"x": 2}, {"x": 3}),
            ({"x": 1}, {"x": True}, {"x": 1.0}),
            ({"x": [1]}, {"x": [1, 2]}, {"x": [1, 3]}),
        ],
    )
    def test_where_both_changed_a_field_ours_stands(self, base, ours, theirs):
        clash = Clash(("x",), base.get("x"), ours.get("x"), theirs.get("x"))
        assert merge(base, ours, theirs) == Merge(ours, (clash,))


class TestItems:
    def test_fields_of_one_resource_are_merged(self):
        base = {"resources": [{"id": "r", "a": 1, "b": 1, "c": 1}]}
        ours = {"resources": [{"id": "r", "a": 2, "b": 1, "c": 2}]}
        theirs = {"resources": [{"id": "r", "a": 1, "b": 2, "c": 3}]}
        assert merge(base, ours, theirs) == Merge(
            {"resources": [{"id": "r", "a": 2, "b": 2, "c": 2}]}, (Clash(("resources", "r", "c"), 1, 2, 3),)
        )

    def test_a_resource_that_one_side_left_alone_goes_when_the_other_removes_it(self):
        assert merge(resources("a", "b"), resources("a"), resources("b", "a")) == Merge(resources("a"))
        assert merge(resources("a", "b"), resources("a", "b", a=1), resources("a")) == Merge(resources("a", a=1))

    @pytest.mark.parametrize(("ours", "theirs"), [(["a"], ["a", "b"]), (["a", "b"], ["a"])])
    def test_removed_here_and_changed_there_is_a_clash(self, ours, theirs):
        merged = merge(resources("a", "b"), resources(*ours, b=1), resources(*theirs, b=1))
        assert merged.document == resources(*ours, b=1)
        assert [clash.path for clash in merged.clashes] == [("resources", "b")]

    def test_tags_and_keywords_are_sets(self):
        tags = [
            {"name": name, "vocabulary_id": vocabulary} for name, vocabulary in [("a", None), ("a", "v"), ("b", None)]
        ]
        base = {"keywords": ["k", "l"], "ckan": {"tags": tags[:1]}}
        ours = {"keywords": ["l", "m"], "ckan": {"tags": tags[:2]}}
        theirs = {"keywords": ["k", "l", "n"], "ckan": {"tags": [tags[0], tags[2]]}}
        assert merge(base, ours, theirs) == Merge({"keywords": ["l", "m", "n"], "ckan": {"tags": tags}})

    def test_duplicates_are_kept(self):
        def extras(*values: int) -> dict[str, Any]:
            return {"extras": [{"key": "k", "value": value} for value in values]}

        assert merge(extras(1, 2), extras(1, 2, 3), extras(1, 4)) == Merge(extras(1, 4, 3))

    @pytest.mark.parametrize(
        ("base", "ours", "theirs", "merged"),
        [
            ("abc", "cab", "abcd", "cabd"),
            ("abc", "abcd", "cab", "cabd"),
            ("abc", "cab", "bca", "cab"),
            ("abc", "axbc", "aybc", "axybc"),
            ("abc", "abcx", "abcy", "abcxy"),
            ("abc", "bc", "axbyc", "xbyc"),
            ("abc", "acx", "cba", "cax"),
        ],
    )
    def test_order(self, base, ours, theirs, merged):
        outcome = merge(resources(*base), resources(*ours), resources(*theirs))
        assert ids(outcome) == merged
        assert outcome.clashes == ()


def begins(path: tuple[str, ...], start: tuple[str, ...]) -> bool:
    return path[: len(start)] == start


def meet(a: Change, b: Change) -> bool:
    """Tell whether two changes concern one field; to put a list in order concerns the list, none of its items."""
    return (begins(a.path, b.path) and b.kind != "moved") or (begins(b.path, a.path) and a.kind != "moved")


class TestAlways:
    @given(DOCUMENTS, DOCUMENTS)
    def test_what_only_one_side_changed_is_as_that_side_has_it(self, base, changed):
        for merged in (merge(base, changed, base), merge(base, base, changed), merge(base, changed, changed)):
            assert canonical(merged.document) == canonical(changed)
            assert merged.clashes == ()

    @given(three_sides())
    def test_both_sides_see_the_same_clashes(self, sides):
        base, ours, theirs = sides
        paths = [{clash.path for clash in merge(base, *pair).clashes} for pair in ((ours, theirs), (theirs, ours))]
        assert paths[0] == paths[1]

    @given(three_sides())
    def test_no_clash_where_the_changes_do_not_meet(self, sides):
        base, ours, theirs = sides
        if not any(meet(a, b) for a in diff(base, ours) for b in diff(base, theirs)):
            merged = merge(base, ours, theirs)
            assert merged.clashes == ()
            before, left, right = (leaves((), side) for side in sides)
            kept = {path: value for path, value in before.items() if path in left and path in right}
            news = {path: value for side in (left, right) for path, value in side.items() if before.get(path) != value}
            assert leaves((), merged.document) == kept | news

    @given(three_sides())
    def test_nothing_is_lost(self, sides):
        merged = merge(*sides)
        base, ours, theirs, result = (leaves((), document) for document in (*sides, merged.document))
        clashes = [clash.path for clash in merged.clashes]
        for path, value in ours.items():
            assert result.get(path) == value or base.get(path) == value
        for path, value in theirs.items():
            told = any(begins(path, clash) for clash in clashes)
            assert result.get(path) == value or base.get(path) == value or told
        for path in base.keys() - result.keys():
            assert path not in ours or path not in theirs

    @given(three_sides())
    def test_the_order_is_that_of_the_side_which_changed_it(self, sides):
        base, ours, theirs, merged = (doc.get("keywords", []) for doc in (*sides, merge(*sides).document))
        assert same_order(only(theirs if same_order(base, ours) else ours, base), merged)

    @given(three_sides())
    def test_ours_stands_in_every_clash(self, sides):
        base, ours, theirs = sides
        merged = merge(base, ours, theirs)
        found = leaves((), merged.document)
        for clash in merged.clashes:
            here = {path: value for path, value in leaves((), ours).items() if begins(path, clash.path)}
            assert {path: value for path, value in found.items() if begins(path, clash.path)} == here
