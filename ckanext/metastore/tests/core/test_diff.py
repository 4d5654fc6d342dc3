"""What differs, in three forms: examples, generated documents, and the histories of real datasets.

Three strangers judge: ``jsonpatch`` applies our patches, ``git apply`` our texts, and ``json`` says what is equal.
"""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE
from typing import Any

import jsonpatch
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.metastore.core.diff import diff, json_patch, unified
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.identity import by_identity
from ckanext.metastore.core.order import interleave
from ckanext.metastore.core.patience import PatienceMatcher
from ckanext.metastore.core.types import Change
from ckanext.metastore.tests import corpus
from ckanext.metastore.tests.core.generated import DOCUMENTS, canonical, leaves


def resources(*ids: str) -> dict[str, Any]:
    return {"resources": [{"id": id_, "url": f"https://data.example/{id_}.csv"} for id_ in ids]}


class TestDiff:
    def test_a_field_that_came_went_or_changed(self):
        assert diff({"a": 1, "b": 2}, {"b": 3, "c": None}) == [
            Change("removed", ("a",), 1, None),
            Change("changed", ("b",), 2, 3),
            Change("added", ("c",), None, None),
        ]

    @pytest.mark.parametrize(
        ("a", "b"), [(1, 1.0), (1, True), (1, "1"), (0, False), (None, ""), ([1], [True]), ({}, [])]
    )
    def test_values_of_different_types_differ(self, a, b):
        assert diff({"x": a}, {"x": b}) == [Change("changed", ("x",), a, b)]

    def test_nested_properties_have_the_whole_path(self):
        assert diff({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}) == [Change("changed", ("a", "b", "c"), 1, 2)]

    def test_a_resource_is_followed_by_its_id_when_its_place_changes(self):
        b = resources("new", "one", "two")
        b["resources"][2]["url"] = "https://data.example/2.csv"
        assert diff(resources("one", "two"), b) == [
            Change("added", ("resources", "new"), None, b["resources"][0]),
            Change(
                "changed", ("resources", "two", "url"), "https://data.example/two.csv", "https://data.example/2.csv"
            ),
        ]

    def test_another_order_is_one_change(self):
        a, b = ["one", "two", "three"], ["three", "one", "two"]
        assert diff(resources(*a), resources(*b)) == [Change("moved", ("resources",), a, b)]

    def test_what_came_or_went_in_between_does_not_change_the_order(self):
        changes = diff(resources("a", "b", "c"), resources("d", "a", "c"))
        assert [change.kind for change in changes] == ["added", "removed"]

    def test_changes_come_in_the_documents_order(self):
        changes = diff({"z": 1} | resources("a", "b", "c"), {"y": 1} | resources("d", "c", "e", "b"))
        assert [change.path for change in changes] == [
            ("resources",),
            ("resources", "d"),
            ("resources", "e"),
            ("resources", "a"),
            ("y",),
            ("z",),
        ]

    @given(DOCUMENTS, DOCUMENTS)
    def test_changes_are_exactly_the_difference(self, a, b):
        patched = leaves((), a)
        for change in diff(a, b):
            if change.kind in ("removed", "changed"):
                for path in leaves(change.path, change.old):
                    del patched[path]
            if change.kind in ("added", "changed"):
                patched |= leaves(change.path, change.new)
        assert patched == leaves((), b)

    @given(DOCUMENTS, DOCUMENTS)
    def test_nothing_changed_means_equal(self, a, b):
        assert (diff(a, b) == []) == (canonical(a) == canonical(b))

    @given(DOCUMENTS)
    def test_a_document_does_not_differ_from_itself(self, a):
        assert diff(a, a) == []


class TestIdentity:
    @pytest.mark.parametrize(
        ("path", "item", "identity"),
        [
            (("resources",), {"id": "r1", "name": "n", "url": "u"}, "r1"),
            (("resources",), {"name": "n", "path": "p", "ckan": {"id": "r1"}}, "r1"),
            (("resources",), {"id": "", "name": "n", "url": "u"}, "n u"),
            (("resources",), {"name": "n", "path": ["p", "q"]}, "n ['p', 'q']"),
            (("resources",), {"name": "n", "path": "p", "ckan": None}, "n p"),
            (("resources",), {"url": "u"}, "u"),
            (("extras",), {"key": "k", "value": "v"}, "k"),
            (("tags",), {"name": "t", "vocabulary_id": None}, "t"),
            (("ckan", "tags"), {"name": "t", "vocabulary_id": "v"}, "v/t"),
            (("groups",), {"id": "g1", "name": "g"}, "g1"),
            (("ckan", "groups"), {"name": "g"}, "g"),
            (("keywords",), "k", "k"),
        ],
    )
    def test_what_an_item_is_known_by(self, path, item, identity):
        assert by_identity(path, [item]) == {identity: item}

    def test_no_duplicate_is_lost(self):
        items = [{"key": key, "value": n} for n, key in enumerate(["k", "k#2", "k", "k", "k#2"])]
        found = by_identity(("extras",), items)
        assert found == dict(zip(["k", "k#2", "k#3", "k#4", "k#2#2"], items, strict=True))

    @pytest.mark.parametrize(
        ("path", "value"),
        [(("resources",), [{}, "x"]), (("resources",), {}), (("keywords",), ["a", 1]), (("licenses",), [{}])],
    )
    def test_other_lists_have_no_identities(self, path, value):
        assert by_identity(path, value) is None


class TestOrder:
    def test_both_orders_are_kept(self):
        assert interleave(["c", "f"], ["a", "b", "c", "d", "e", "f", "g", "h"]) == list("abcdefgh")

    def test_where_they_disagree_the_first_decides(self):
        assert interleave(["b", "a"], ["a", "x", "b", "y"]) == ["x", "b", "a", "y"]


class TestJsonPatch:
    def test_one_operation_for_one_change(self):
        a = resources("a", "b", "c")
        assert json_patch(a, resources("a", "c")) == [{"op": "remove", "path": "/resources/1"}]
        assert json_patch(resources("a", "c"), a) == [{"op": "add", "path": "/resources/1", "value": a["resources"][1]}]
        b = resources("a", "b", "c")
        b["resources"][2]["url"] = 1
        assert json_patch(a, b) == [{"op": "replace", "path": "/resources/2/url", "value": 1}]

    @pytest.mark.parametrize(("start", "to"), [(0, 4), (4, 0), (1, 3), (3, 1)])
    def test_a_moved_item_is_one_move(self, start, to):
        ids = list("abcde")
        ids.insert(to, ids.pop(start))
        move = {"op": "move", "from": f"/resources/{start}", "path": f"/resources/{to}"}
        assert json_patch(resources(*"abcde"), resources(*ids)) == [move]

    def test_pointers_are_escaped(self):
        assert json_patch({"a/b": {"~": 1}}, {"a/b": {}}) == [{"op": "remove", "path": "/a~1b/~0"}]

    @given(DOCUMENTS, DOCUMENTS)
    @example({"resources": [{"id": id_} for id_ in "abcdef"]}, {"resources": [{"id": id_} for id_ in "fxbeady"]})
    def test_it_makes_b_of_a(self, a, b):
        patch = json_patch(a, b)
        assert canonical(jsonpatch.apply_patch(a, patch)) == canonical(b)
        assert (patch == []) == (canonical(a) == canonical(b))


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c\r\n", "d\u2028\x0c\n", "é\n"]) | st.text("xyz\n"), max_size=30)
TEXTS = LINES.map("".join)


def git(folder: Path, *arguments: str, given: str = "") -> str:
    """Run git without anybody's configuration."""
    clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, env=clean, input=given, encoding="utf-8", stdout=PIPE, check=True).stdout


def git_apply(folder: Path, a: str, patch: str) -> str:
    """Let git apply a patch to a file that holds ``a``."""
    file = folder / "datapackage.json"
    file.write_bytes(a.encode())
    if patch:
        git(folder, "apply", "--whitespace=nowarn", given=patch)
    return file.read_bytes().decode()


class TestUnified:
    @pytest.mark.parametrize(
        ("a", "b"),
        [
            (range(30), [n for n in range(30) if n not in (3, 20)] + ["end"]),
            (range(5), [0, 1, 2, 3, "four", 4]),
            ([], [1]),
            ([1, 2], []),
        ],
    )
    def test_it_reads_as_git_diff_does(self, tmp_path, a, b):
        a, b = "".join(f"{line}\n" for line in a), "\n".join(map(str, b))
        (tmp_path / "datapackage.json").write_text(a)
        git(tmp_path, "init", "-q")
        git(tmp_path, "add", ".")
        (tmp_path / "datapackage.json").write_text(b)
        printed = git(tmp_path, "diff", "--src-prefix=v1/", "--dst-prefix=v2/")
        expected = [line for line in printed.split("\n") if not line.startswith("index ")]
        assert unified(a, b, label_a="v1", label_b="v2").split("\n") == expected

    @given(TEXTS, TEXTS)
    def test_it_makes_b_of_a(self, tmp_path_factory, a, b):
        patch = unified(a, b, label_a="a", label_b="b")
        assert git_apply(tmp_path_factory.mktemp("apply"), a, patch) == b
        assert (patch == "") == (a == b)

    def test_bytes_that_are_no_text_are_shown(self):
        assert unified(b"caf\xe9\n", b"cafe\n", label_a="a", label_b="b").endswith("@@ -1 +1 @@\n-caf\\xe9\n+cafe\n")

    def test_a_line_between_unique_lines_is_found(self):
        a = "".join(f'id {n}\nformat "CSV"\nsize 0\nstate\n' for n in range(200))
        patch = unified(a, a.replace("size 0", "size 1"), label_a="a", label_b="b")
        assert sum(line.startswith(("+size", "-size")) for line in patch.split("\n")) == 400
        assert not any(line.startswith(("+format", "-format", "+id", "-id", "+state")) for line in patch.split("\n"))

    def test_long_texts_take_linear_work(self):
        compared = 0

        class Line(str):
            __hash__ = str.__hash__

            def __eq__(self, other):
                nonlocal compared
                compared += 1
                return str.__eq__(self, other)

        def text(revision: int) -> list[str]:
            return [Line(line) for n in range(5000) for line in ("{", f"id {n}", f"size {n + revision}", "}")]

        blocks = PatienceMatcher(text(1), text(2)).get_matching_blocks()
        assert sum(block.size for block in blocks) == 15_000
        assert compared < 20 * 20_000


@pytest.mark.skipif(not corpus.FOLDER.exists(), reason="the corpus is not beside the checkout")
def test_real_histories(tmp_path):
    pairs = [pair for history in corpus.histories().values() for pair in pairwise(history)]
    pairs += pairwise(corpus.data_packages().values())
    assert len(pairs) > 100
    for a, b in pairs:
        assert (diff(a, b) == []) == (canonical(a) == canonical(b))
        assert canonical(jsonpatch.apply_patch(a, json_patch(a, b))) == canonical(b)
        texts = canonical_json(a).decode(), canonical_json(b).decode()
        assert git_apply(tmp_path, texts[0], unified(*texts, label_a="a", label_b="b")) == texts[1]


def test_items_that_were_named_to_make_it_slow():
    """What is counted anew for each of them takes hours."""
    count = 100_000
    names = [f"a#{number}" for number in range(2, count + 2)] + ["a"] * count
    items = by_identity(("extras",), [{"key": name} for name in names])
    assert items is not None
    assert list(items)[count:] == ["a", *(f"a#{number}" for number in range(count + 2, 2 * count + 1))]
